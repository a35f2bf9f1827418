"""The statements of a driver in PostgreSQL, over Optuna's own tables.

Lists go as arrays, so that each statement is planned once whatever it writes. The parts of a
statement see the database as it was at its begin; those that write a trial's parts take it from
the first part, and write nothing where that found none.
"""

from sqlalchemy import text

__all__ = ["ENQUEUE", "FIND", "LOCK_STUDY", "SET_STATE", "WRITE"]

_NOTES = """
user_notes AS (
    INSERT INTO trial_user_attributes (trial_id, key, value_json)
    SELECT trial_id, key, value FROM trial,
        unnest(CAST(:user_keys AS text[]), CAST(:user_values AS text[])) AS new (key, value)
    ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
), system_notes AS (
    INSERT INTO trial_system_attributes (trial_id, key, value_json)
    SELECT trial_id, key, value FROM trial,
        unnest(CAST(:system_keys AS text[]), CAST(:system_values AS text[])) AS new (key, value)
    ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
)
"""

#: The trial of a number.
FIND = text("SELECT trial_id FROM trials WHERE study_id = :study_id AND number = :number")

#: Until the end of the transaction nobody else makes a trial.
LOCK_STUDY = text("SELECT study_id FROM studies WHERE study_id = :study_id FOR UPDATE")

#: A trial of the queue, with its notes; its name and its number.
ENQUEUE = text(f"""
WITH trial AS (
    INSERT INTO trials (study_id, number, state)
    SELECT study_id, (SELECT count(*) FROM trials WHERE trials.study_id = :study_id), 'WAITING'
    FROM studies WHERE study_id = :study_id
    RETURNING trial_id, number
), {_NOTES}
SELECT trial_id, number FROM trial
""")  # noqa: S608 -- made of the two constants above

#: Draws, notes and values of epochs of one trial; how many trials that was: none of an ended one.
WRITE = text(f"""
WITH trial AS (
    SELECT trial_id FROM trials
    WHERE trial_id = :trial_id AND state IN ('RUNNING', 'WAITING') FOR UPDATE
), draws AS (
    INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
    SELECT trial_id, name, value, distribution FROM trial,
        unnest(CAST(:names AS text[]), CAST(:draws AS double precision[]),
               CAST(:distributions AS text[])) AS new (name, value, distribution)
    ON CONFLICT DO NOTHING
), epochs AS (
    INSERT INTO trial_intermediate_values
        (trial_id, step, intermediate_value, intermediate_value_type)
    SELECT trial_id, epoch, value, kind FROM trial,
        unnest(CAST(:epochs AS integer[]), CAST(:numbers AS double precision[]),
               CAST(:kinds AS trialintermediatevaluetype[])) AS new (epoch, value, kind)
    ON CONFLICT (trial_id, step) DO UPDATE SET
        intermediate_value = excluded.intermediate_value,
        intermediate_value_type = excluded.intermediate_value_type
), {_NOTES}
SELECT count(*) FROM trial
""")  # noqa: S608 -- made of the two constants above

#: Where a trial stands, with its values; where it stood. One that runs does not begin again.
SET_STATE = text("""
WITH stood AS (
    SELECT trial_id, state FROM trials WHERE trial_id = :trial_id FOR UPDATE
), trial AS (
    UPDATE trials SET
        state = CAST(:state AS trialstate),
        datetime_start = coalesce(CAST(:begun AS timestamp), datetime_start),
        datetime_complete = coalesce(CAST(:ended AS timestamp), datetime_complete)
    FROM stood
    WHERE trials.trial_id = stood.trial_id
      AND (stood.state = 'WAITING' OR stood.state = 'RUNNING' AND :state <> 'RUNNING')
    RETURNING trials.trial_id
), results AS (
    INSERT INTO trial_values (trial_id, objective, value, value_type)
    SELECT trial_id, objective, value, kind FROM trial,
        unnest(CAST(:objectives AS integer[]), CAST(:numbers AS double precision[]),
               CAST(:kinds AS trialvaluetype[])) AS new (objective, value, kind)
    ON CONFLICT (trial_id, objective) DO UPDATE SET
        value = excluded.value, value_type = excluded.value_type
)
SELECT CAST(state AS text) FROM stood
""")
