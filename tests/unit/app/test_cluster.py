"""What a study takes of a cluster, from what the cluster has."""

import pytest

from automl.app.cluster import cluster_resources, survey_of
from automl.app.prepare import Preparer
from automl.app.study_settings import TABLE
from automl.errors import FixInput, PrepareMachine
from automl.execution.cluster.survey import Survey
from automl.settings.layers import merge, read_layer
from automl.skill.read import own_skill_dir, read_skill
from automl.study.config import Resources
from automl.study.layout import StudyPaths
from automl.study.nodes import NodeRecord
from automl.study.records import Attempt
from automl.yamltext import load_yaml
from tests.unit.app.kit import MakePlan

BIG = NodeRecord("10.0.0.1 (big)", 64, 8, "H200")
SMALL = NodeRecord("10.0.0.2 (small)", 8, 2, "H200")
OTHER = NodeRecord("10.0.0.3 (other)", 64, 8, refused="it has Python 3.12.1")


def choose(
    *nodes: NodeRecord, num_gpus: int = 1, **flags: object
) -> tuple[Resources, tuple[str, ...]]:
    settings = merge(TABLE, [read_layer(TABLE, flags)])
    return cluster_resources(settings, Survey("auto", "2.60.0", nodes, "automl 0.1.0"), num_gpus)


def test_as_many_trials_run_as_the_fit_nodes_have_room_for() -> None:
    resources, notes = choose(BIG, SMALL, OTHER)
    # The threads of a trial are a GPU's part of the node that has fewest CPUs for each.
    assert resources == Resources(10, 1, None, 4)
    assert notes == ("node 10.0.0.3 (other): 64 CPUs, 8 GPUs; no trials: it has Python 3.12.1",)


def test_a_trial_that_holds_more_gpus_than_a_node_has_leaves_that_node_out() -> None:
    resources, _ = choose(BIG, SMALL, gpus_per_trial=4)
    assert resources == Resources(2, 4, None, 32)


def test_trials_share_gpus_on_a_cluster_too() -> None:
    resources, _ = choose(SMALL, trials_per_gpu="2")
    assert resources == Resources(4, 1, None, 2, trials_per_gpu=2)


def test_without_gpus_each_cpu_trains_one_trial() -> None:
    resources, _ = choose(NodeRecord("a", 2), NodeRecord("b", 3))
    assert resources == Resources(5, 0, None, 1)


def test_more_than_there_is_room_for_is_asked_for_and_waits() -> None:
    resources, notes = choose(SMALL, max_concurrent="6")
    assert resources.max_concurrent == 6
    assert "6 trials at once were asked for, the cluster holds 2 now" in notes[0]


def test_a_cluster_without_a_fit_node_is_refused_with_what_keeps_each_out() -> None:
    with pytest.raises(PrepareMachine, match=r"10\.0\.0\.3 \(other\).*Python 3\.12\.1"):
        choose(OTHER)


def test_no_node_has_as_many_gpus_as_one_trial_needs() -> None:
    with pytest.raises(PrepareMachine, match="4 asked for, 2 there"):
        choose(SMALL, gpus_per_trial=4)


def test_what_a_cluster_cannot_give_is_refused_before_it_is_joined() -> None:
    flags = {"ray_address": "10.0.0.1:6379", "gpus": "0,1"}
    settings = merge(TABLE, [read_layer(TABLE, flags)])
    with pytest.raises(FixInput, match="gpus together"):
        survey_of(settings, read_skill(own_skill_dir()), (), searches=True)


@pytest.mark.parametrize("given", [{}, {"ray_address": "local"}])
def test_the_environment_alone_never_decides(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    settings = merge(TABLE, [read_layer(TABLE, given)])
    assert survey_of(settings, read_skill(own_skill_dir()), (), searches=True) is None


@pytest.mark.parametrize("word", ["10.0.0.1", "ray://10.0.0.1:10001", "host:0", ":6379", "yes"])
def test_an_address_is_auto_or_host_and_port(word: str) -> None:
    with pytest.raises(FixInput, match="auto or HOST:PORT"):
        read_layer(TABLE, {"ray_address": word})


def test_an_attempt_on_fewer_gpus_has_a_spec_that_says_so(plan: MakePlan) -> None:
    made = plan("--gpus-per-trial", "0", "--trials", "4")
    paths = StudyPaths(made.studies_dir / made.config.name)
    preparer = Preparer(paths, made.config, made.skill, made.base_spec)
    for number, count in enumerate((2, None)):
        preparer.give_gpus(count)
        task = preparer.prepare(Attempt(number, 1, {}))
        train = load_yaml(task.spec_path)["train"]
        assert (train["num_gpus"], train["gpu_ids"]) == ((2, [0, 1]) if count else (1, [0]))
