import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.skill.request_words import statement_in

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


@pytest.mark.parametrize("request_text", OFF)
def test_words_against_a_search(request_text: str) -> None:
    statement = statement_in(request_text)
    assert statement is not None
    assert not statement.searches


@pytest.mark.parametrize("request_text", ON)
def test_words_for_a_search(request_text: str) -> None:
    statement = statement_in(request_text)
    assert statement is not None
    assert statement.searches


@pytest.mark.parametrize("request_text", NEITHER)
def test_words_that_say_nothing_about_it(request_text: str) -> None:
    assert statement_in(request_text) is None


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
    statement = statement_in(request_text)
    assert statement is not None
    assert (statement.searches, statement.words) == (searches, words)


@pytest.mark.parametrize("request_text", [*OFF, *ON])
def test_talk_around_a_statement_changes_nothing(request_text: str) -> None:
    alone = statement_in(request_text)
    within = statement_in(f"Train bike for 30 epochs on 1 GPU. {request_text}. Data: /data/train.")
    assert alone is not None
    assert within is not None
    assert within.searches == alone.searches


@given(st.text(max_size=200))
def test_any_text_is_read(request_text: str) -> None:
    statement = statement_in(request_text)
    assert statement is None or statement.words
