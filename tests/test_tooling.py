"""What surrounds the program: the example of settings, the containers, the house rules."""

from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from chat import config
from tools.house_rules import broken_rules

CHECKOUT = Path(__file__).parent.parent
ONLY_COMPOSE = {"POSTGRES_PASSWORD"}


def example_settings() -> dict[str, str]:
    lines = (CHECKOUT / ".env.example").read_text(encoding="utf-8").splitlines()
    assignments = [line.removeprefix("#") for line in lines if line.startswith("#") and not line.startswith("# ")]
    return dict(line.split("=", 1) for line in assignments)


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((CHECKOUT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return services


def test_the_example_names_every_setting_and_no_other() -> None:
    assert set(example_settings()) - ONLY_COMPOSE == {each.metadata["name"] for each in fields(config.Settings)}


def test_the_values_of_the_example_are_the_defaults() -> None:
    example = {name: value for name, value in example_settings().items() if name not in ONLY_COMPOSE}
    assert config.load(example, dotenv=None) == config.load({"NO_SETTING": "1"}, dotenv=None)


def test_compose_gives_roomful_settings_that_exist() -> None:
    known = {each.metadata["name"] for each in fields(config.Settings)}
    for service in ("roomful", "migrate"):
        assert set(compose()[service]["environment"]) <= known


def test_compose_starts_nothing_before_what_it_needs_is_healthy() -> None:
    services = compose()
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            assert condition != "service_started", f"{name} does not wait for {needed}"
            if condition == "service_healthy":
                assert "healthcheck" in services[needed]


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("chat/lib/utils.py", '"""."""\n', "duty"),
        ("chat/hub/room_helpers.py", '"""."""\n', "duty"),
        ("web/src/long.ts", "/** */\n" + "\n" * 400, "401 lines"),
        ("web/src/App.svelte", "<script>\n", "first line"),
        ("docs/guide.md", "Done.\n" + "TO" + "DO: write\n", "line 2"),
        ("requirements/server.txt", "--index-url https://packages.example\n", "address"),
        ("web/package-lock.json", '"resolved": "https://packages.example/a.tgz"\n', "address"),
    ],
)
def test_a_broken_house_rule_is_named(path: str, text: str, complaint: str) -> None:
    found = list(broken_rules(PurePosixPath(path), text))
    assert len(found) == 1
    assert complaint in found[0]


def test_a_file_that_keeps_the_house_rules_is_left_alone() -> None:
    assert list(broken_rules(PurePosixPath("chat/hub/presence.py"), '"""Who is here."""\n' * 400)) == []
