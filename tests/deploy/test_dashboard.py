"""Prometheus and Grafana: every number they show is one the product publishes."""

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from services.oversight.rules.overview import STAGES
from shared import metrics
from tests.deploy.compose import ROOT

GRAFANA = ROOT / "deploy" / "grafana"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
WORDS = {
    *("avg", "by", "count", "histogram_quantile", "max", "or", "rate", "sum", "topk", "vector"),
    *("le", "job", "m", "up"),
}
"""What an expression may contain besides metrics and their labels."""


def published() -> dict[str, set[str]]:
    """The labels of every time series the product publishes, by its name."""
    found: dict[str, set[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for family in metric.describe():
                for suffix in SUFFIXES[family.type]:
                    found[family.name + suffix] = set(metric._labelnames)
    return found


OPERATORS, SCHOOLS = "taizhang", "schools"
DASHBOARDS = {
    path.stem: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*"))
}


def expressions(*names: str) -> list[tuple[str, str, str]]:
    """Panel, expression and legend of these dashboards, of all if none is named."""
    return [
        (panel["title"], target["expr"], target["legendFormat"])
        for name in names or DASHBOARDS
        for panel in DASHBOARDS[name]["panels"]
        for target in panel["targets"]
    ]


def shown(*names: str) -> set[str]:
    """The time series that these dashboards show."""
    return {n for _, e, _ in expressions(*names) for n in re.findall(r"taizhang_\w+", e)}


@pytest.mark.parametrize(
    ("expression", "legend"),
    [pytest.param(e, le, id=f"{n}-{t}") for n, (t, e, le) in enumerate(expressions())],
)
def test_a_panel_shows_what_is_published(expression: str, legend: str) -> None:
    known = published()
    series = set(re.findall(r"taizhang_\w+", expression))
    labels = set.union(set(), *(known[name] for name in series))
    words = set(re.findall(r"[a-z_]+", re.sub(r'=~?"[^"]*"', "", expression))) - series
    assert words <= WORDS | labels, words
    assert set(re.findall(r"{{(\w+)}}", legend)) <= labels
    assert expression.count("(") == expression.count(")")


def test_operators_see_what_they_are_promised() -> None:
    assert shown(OPERATORS) >= {
        "taizhang_commands_total",
        "taizhang_append_seconds_bucket",
        "taizhang_conflicts_total",
        "taizhang_view_lag_events",
        "taizhang_parked",
        "taizhang_timers",
        "taizhang_timers_fired_total",
        "taizhang_config_drift",
        "taizhang_box_waiting",
    }
    unseen = {n.removesuffix("_sum").removesuffix("_count") for n in set(published()) - shown()}
    assert unseen <= {"taizhang_append_seconds"}


def test_leaders_and_bureaus_see_schools_and_operators_no_school() -> None:
    of_schools = {name for name, labels in published().items() if "school" in labels}
    assert shown(SCHOOLS) == of_schools | {"taizhang_figures_position"}
    assert not shown(OPERATORS) & of_schools


@pytest.mark.parametrize("expression", [e for _, e, _ in expressions(SCHOOLS)])
def test_what_is_chosen_of_a_label_is_one_of_its_words(expression: str) -> None:
    words = {"stage": {*STAGES}, "state": {"done", "missing", "waived"}, "school": {"$school"}}
    for label, chosen in re.findall(r'(\w+)=~?"([^"]*)"', expression):
        assert {*chosen.split("|")} <= words[label]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_a_place_of_their_own_and_say_what_to_do(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    panels = DASHBOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        assert panel["description"]
        taken |= cells


def test_grafana_finds_its_source_and_its_dashboard(deployed: dict[str, dict[str, Any]]) -> None:
    provisioning = GRAFANA / "provisioning"
    sources = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())
    providers = yaml.safe_load((provisioning / "dashboards" / "taizhang.yml").read_text())
    source = sources["datasources"][0]
    mounts = dict(m.removesuffix(":ro").split(":") for m in deployed["grafana"]["volumes"])

    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in deployed
    assert {
        target["datasource"]["uid"]
        for dashboard in DASHBOARDS.values()
        for panel in dashboard["panels"]
        for target in panel["targets"]
    } == {source["uid"]}
    assert len({dashboard["uid"] for dashboard in DASHBOARDS.values()}) == len(DASHBOARDS)
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    path = providers["providers"][0]["options"]["path"]
    assert mounts["./deploy/grafana/dashboards"] == path
    home = deployed["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{path}/taizhang.json"


def test_prometheus_reads_its_file_and_keeps_what_it_reads(
    deployed: dict[str, dict[str, Any]],
) -> None:
    prometheus = deployed["prometheus"]
    options = dict(word.removeprefix("--").split("=") for word in prometheus["command"])
    mounts = {m.split(":")[1]: m.split(":")[0] for m in prometheus["volumes"]}
    assert mounts[options["config.file"]] == "./deploy/prometheus.yml"
    assert mounts[options["storage.tsdb.path"]] == "prometheus"
    job = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())["scrape_configs"][0]
    assert f'up{{job="{job["job_name"]}"}}' in json.dumps(DASHBOARDS[OPERATORS]).replace('\\"', '"')
