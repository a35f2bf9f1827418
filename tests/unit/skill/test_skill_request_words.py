import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.skill.request_words import read_request

OFF = [
    "turn off AutoML",
    "Turn AutoML off, please",
    "please TURN OFF AUTOML for this run only",
    "switch off automl",
    "switch the AutoML off",
    "disable AutoML",
    "train bike with AutoML disabled",
    "AutoML should be disabled",
    "AutoML should not be used",
    "no HPO",
    "no hpo please",
    "no auto-ml",
    "with no AutoML",
    "plain training",
    "I want a plain training of cereal_box",
    "just train, no search",
    "just train it",
    "simply train CenterPose on my data",
    "only train, please",
    "train directly",
    "do a single training run",
    "a normal training, please",
    "direct training",
    "without hyperparameter search",
    "without hyperparameter tuning",
    "without any hyper-parameter optimisation",
    "without the search",
    "skip the search",
    "skip AutoML and train directly",
    "skipping HPO this time",
    "automl_policy: off",
    "automl_policy=off",
    "automl policy off",
    "set automl_policy to off",
    "AutoML off",
    "don't use AutoML",
    "do not run HPO",
    "never run a search",
    "I don't want hyperparameter search",
    "we are not going to run HPO",
    "I'd rather not use AutoML",
    "no need for AutoML",
    "AutoML is not needed",
    "AutoML isn't needed",
    "don't search",
    "don't tune anything",
    "no wandb, no AutoML",
    "deactivate HPO",
    "leave out the hyperparameter tuning",
    "keep AutoML off",
    "don't enable AutoML",
    "do not turn AutoML on",
    "no need to search hyperparameters",
]

ON = [
    "don't turn off AutoML",
    "Don\N{RIGHT SINGLE QUOTATION MARK}t turn off AutoML",
    "do not disable automl",
    "please don't ever switch AutoML off",
    "without turning AutoML off",
    "without disabling AutoML",
    "I do not want you to turn off HPO",
    "no need to turn off AutoML",
    "AutoML must not be turned off",
    "AutoML should never be disabled",
    "never skip the search",
    "not plain training",
    "rather than plain training, run HPO",
    "instead of plain training, tune the hyperparameters",
    "don't just train, tune the hyperparameters",
    "use AutoML",
    "just train with AutoML",
    "keep AutoML on",
    "automl_policy: on",
    "turn on AutoML",
    "search for the best hyperparameters",
    "disable wandb and run AutoML",
]

NEITHER = [
    "",
    "Train CenterPose on my bike data for 30 epochs",
    "no search over batch sizes",
    "no tuning of the batch size",
    "no fine-tuning of the backbone",
    "train only the head",
    "only train for 5 epochs",
    "use the standard training schedule",
    "the plain training data is in /data",
    "turn off wandb",
    "disable colour augmentation",
    "without validation",
]


#: What people write to an agent: each phrase, and what it asks for.
WRITTEN = [
    ("do a single training run only", "off"),
    ("single training run only", "off"),
    ("a single training run, nothing else", "off"),
    ("one plain run", "off"),
    ("just one plain run please", "off"),
    ("just one run", "off"),
    ("only a single run", "off"),
    ("one run only, on GPU 0", "off"),
    ("train once", "off"),
    ("train it exactly once", "off"),
    ("just train once only", "off"),
    ("one-shot training, please", "off"),
    ("straight training", "off"),
    ("use fixed hyperparameters", "off"),
    ("use the fixed hyper-parameters from the spec", "off"),
    ("train with the default hyperparameters", "off"),
    ("use exactly these hyperparameters", "off"),
    ("use my own hyperparameters", "off"),
    ("fixed hyperparameters", "off"),
    ("keep the hyperparameters fixed", "off"),
    ("don't touch the hyperparameters", "off"),
    ("do not change any hyperparameters", "off"),
    ("don't tune it", "off"),
    ("please don't optimise the model", "off"),
    ("HPO is overkill here", "off"),
    ("AutoML: no", "off"),
    ("no hpo please", "off"),
    ("could you train without HPO?", "off"),
    ("would you please disable AutoML?", "off"),
    ("should I use AutoML? No.", "off"),
    ("use AutoML? nope, plain training", "off"),
    ("skip HPO, we did it last time", "off"),
    ("same as last time: plain training", "off"),
    ("AutoML took too long yesterday, just train", "off"),
    ("we ran HPO last week; this time a plain training", "off"),
    ("the search was a waste of time. No AutoML now", "off"),
    ("use AutoML. Scratch that, plain training.", "off"),
    ("tune it... no wait, no HPO", "off"),
    ("single training run without AutoML", "off"),
    ("use AutoML, the plain training was bad last time", "on"),
    ("the plain training was bad last time, use AutoML", "on"),
    ("plain training gave 0.3; run HPO", "on"),
    ("plain training is not enough, use AutoML", "on"),
    ("use AutoML: it must be better than plain training", "on"),
    ("use AutoML and compare it with the plain training", "on"),
    ("run HPO to beat our last plain training", "on"),
    ("last time we trained without HPO, so now use AutoML", "on"),
    ("AutoML was disabled last time. Turn it on", "on"),
    ("no HPO, actually tune it", "on"),
    ("no HPO. Wait, do tune the model", "on"),
    ("just train... actually, let AutoML run", "on"),
    ("not a single training run, use AutoML", "on"),
    ("find the best hyperparameters", "on"),
    ("find me good hyperparameters for bikes", "on"),
    ("optimise it", "on"),
    ("AutoML please", "on"),
    ("go with AutoML", "on"),
    ("yes to HPO", "on"),
    ("AutoML: yes", "on"),
    ("can you run HPO?", "on"),
    ("shall we use AutoML? Yes!", "on"),
    ("use my hyperparameters as a start and run HPO", "on"),
    ("don't use fixed hyperparameters", "on"),
    ("plain training fails, so use AutoML", "on"),
    ("the plain training was bad last time", ""),
    ("AutoML was bad last time", ""),
    ("we used AutoML before", ""),
    ("we ran HPO yesterday", ""),
    ("the last plain training reached 0.4", ""),
    ("results with AutoML were poor", ""),
    ("should I use AutoML?", ""),
    ("what does AutoML do?", ""),
    ("does a plain training take long?", ""),
    ("one run at a time", ""),
    ("one run per GPU", ""),
    ("use my hyperparameter ranges", ""),
    ("fine tune it on bikes", ""),
    ("beat the previous plain training", ""),
    ("train on the fixed split", ""),
]


@pytest.mark.parametrize(("request_text", "asked"), WRITTEN)
def test_what_people_write(request_text: str, asked: str) -> None:
    statement = read_request(request_text).statement
    read = "" if statement is None else "on" if statement.searches else "off"
    assert (read, statement and statement.words) == (asked, statement and statement.words)


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(dict(WRITTEN)) == len(WRITTEN) >= 60


@pytest.mark.parametrize(
    ("request_text", "against", "decided"),
    [
        ("no HPO, actually tune it", '"no HPO" (off)', '"tune it" (on)'),
        (
            "use AutoML. Scratch that, plain training.",
            '"use AutoML" (on)',
            '"plain training" (off)',
        ),
        ("run HPO? No, no HPO", None, '"no HPO" (off)'),
        ("don't turn off AutoML", None, '"don\'t turn off AutoML" (on)'),
        ("without turning AutoML off", None, '"without turning AutoML off" (on)'),
        ("use AutoML, the plain training was bad last time", None, '"use AutoML" (on)'),
        ("rather than plain training, run HPO", None, '"run HPO" (on)'),
    ],
)
def test_a_contradiction_is_seen(request_text: str, against: str | None, decided: str) -> None:
    reading = read_request(request_text)
    assert reading.statement is not None
    assert reading.statement.said == decided
    assert (reading.against and reading.against.said) == against


@pytest.mark.parametrize(
    ("request_text", "unclear"),
    [
        ("AutoML was bad last time", "AutoML"),
        ("should I use hyperparameter search?", "hyperparameter search"),
        ("train the bike model", ""),
        ("use AutoML", ""),
        ("no search over batch sizes", ""),
    ],
)
def test_words_that_give_no_order_are_kept_to_be_said(request_text: str, unclear: str) -> None:
    assert read_request(request_text).unclear == unclear


@pytest.mark.parametrize("request_text", OFF)
def test_words_against_a_search(request_text: str) -> None:
    statement = read_request(request_text).statement
    assert statement is not None
    assert not statement.searches


@pytest.mark.parametrize("request_text", ON)
def test_words_for_a_search(request_text: str) -> None:
    statement = read_request(request_text).statement
    assert statement is not None
    assert statement.searches


@pytest.mark.parametrize("request_text", NEITHER)
def test_words_that_say_nothing_about_it(request_text: str) -> None:
    assert read_request(request_text).statement is None


@pytest.mark.parametrize(
    ("request_text", "searches", "words"),
    [
        ("turn off AutoML. Actually no: turn AutoML on", True, "turn AutoML on"),
        ("use AutoML, but no, just train", False, "just train"),
        ("disable AutoML... no, leave it on", True, "leave it on"),
        ("run HPO? No, no HPO", False, "no HPO"),
        ("Do not   turn off\nAutoML", True, "Do not turn off AutoML"),
    ],
)
def test_the_last_statement_wins_and_is_quoted(
    request_text: str, searches: bool, words: str
) -> None:
    statement = read_request(request_text).statement
    assert statement is not None
    assert (statement.searches, statement.words) == (searches, words)


@pytest.mark.parametrize("request_text", [*OFF, *ON])
def test_talk_around_a_statement_changes_nothing(request_text: str) -> None:
    alone = read_request(request_text).statement
    around = f"Train bike for 30 epochs on 1 GPU. {request_text}. Data: /data/train."
    within = read_request(around).statement
    assert alone is not None
    assert within is not None
    assert within.searches == alone.searches


@given(st.text(max_size=200))
def test_any_text_is_read(request_text: str) -> None:
    statement = read_request(request_text).statement
    assert statement is None or statement.words
