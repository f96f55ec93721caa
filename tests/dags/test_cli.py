"""The command line's promises: fast help, strict JSON, an exit status for each kind of error."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import typer

from dags.border import REFUSED, exit_codes, run
from dags.cli import app
from dags.output import Answer, show
from feature_repo import errors
from feature_repo.settings import Settings
from tests.dags.command import TALENTML, talentml
from tests.patience import LONG

VERBS = {
    "doctor", "servers start", "servers stop", "servers status", "seed synthetic", "seed sip", "seed so-survey",
    "seed esco", "seed onet", "seed jira", "seed job-views", "seed trends", "ingest", "check", "materialize", "train",
    "promote", "rollback", "evaluate", "score", "drift", "parity", "serve", "deploy", "due", "status", "products",
    "search", "pages", "config show", "experiment start", "experiment status", "experiment stop",
    "token secret", "token issue", "audit", "forget",
}  # fmt: skip


def verbs(of: typer.Typer, before: str = "") -> set[str]:
    """The words of every verb, groups followed."""
    found = {f"{before}{command.name}" for command in of.registered_commands if not command.hidden}
    for group in of.registered_groups:
        assert group.typer_instance is not None
        found |= verbs(group.typer_instance, f"{before}{group.name} " if isinstance(group.name, str) else before)
    return found


def test_the_verbs_are_those_that_the_platform_promises() -> None:
    assert verbs(app) == VERBS


@pytest.mark.parametrize("words", sorted(VERBS))
def test_each_verb_explains_itself_and_takes_home_and_json(words: str) -> None:
    done = talentml(*words.split(), "--help")
    assert done.code == 0
    assert {"--home", "--json"} <= set(re.findall(r"--\w+", done.stdout))


def test_help_states_each_exit_code() -> None:
    shown = " ".join(talentml("--help").stdout.split())
    assert all(f"{code} {meaning.split()[0]}" in shown for code, meaning in exit_codes().items())


@pytest.mark.parametrize("kind", [errors.TalentError, *errors.TalentError.__subclasses__()])
def test_each_error_class_has_its_exit_status_and_a_line(
    kind: type[errors.TalentError], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(settings: object) -> Answer:
        raise kind("thing: 3 found, 2 allowed\nand more")

    assert run(fails, str(tmp_path), True, show, {}) == kind.exit_code
    stdout, stderr = capfd.readouterr()
    message = "thing: 3 found, 2 allowed and more"
    assert json.loads(stdout) == {"error": kind.__name__, "message": message, "exit_code": kind.exit_code}
    assert stderr == f"error: {message}\n"


def test_an_unexpected_error_is_one_line_and_its_traceback_is_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(settings: object) -> Answer:
        return {"never": 1 / 0}  # type: ignore[return-value]

    assert run(fails, str(tmp_path), False, show, {}) == 1
    stdout, stderr = capfd.readouterr()
    kept = next((tmp_path / "logs").glob("error-*.txt"))
    assert stdout == ""
    assert stderr.count("\n") == 1
    assert str(kept) in stderr
    assert "1 / 0" in kept.read_text()


def test_a_refusal_answers_and_exits_99(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    refusal = Answer({"promote": False}, REFUSED)
    assert run(lambda _: refusal, str(tmp_path), True, show, {}) == 99
    assert json.loads(capfd.readouterr().out) == {"promote": False}


def test_what_libraries_print_never_reaches_stdout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def talks(settings: object) -> Answer:
        print("from Python")
        subprocess.run(["echo", "from a child"], check=True)
        return Answer({"value": float("nan")})

    assert run(talks, str(tmp_path), True, show, {}) == 0
    stdout, stderr = capfd.readouterr()
    assert stdout == '{"value": null}\n'
    assert "from Python" in stderr
    assert "from a child" in stderr


def test_a_misspelt_setting_is_named_with_those_allowed(tmp_path: Path) -> None:
    done = talentml("config", "show", "--json", home=tmp_path, TALENTML_DOCKER="perhaps")
    assert done.code == 2
    assert done.answer["error"] == "SettingsError"
    assert "docker" in done.stderr


def test_config_show_masks_every_secret(tmp_path: Path) -> None:
    fields = [name for name in Settings.model_fields if name.endswith("_url")]
    urls = {f"TALENTML_{name.upper()}": "http://talentml:canary-7f3@127.0.0.1:3306" for name in fields}
    for words in (["--json"], []):
        done = talentml("config", "show", *words, home=tmp_path, **urls)
        assert done.code == 0
        assert "canary-7f3" not in done.stdout + done.stderr


def test_a_product_that_is_not_declared_is_refused_with_those_that_are(tmp_path: Path) -> None:
    done = talentml("train", "task_asignment", "--as-of", "2013-01-01", "--json", home=tmp_path)
    assert done.code == 2
    assert "task_assignment, task_performance" in done.answer["message"]


def test_a_malformed_date_is_refused_with_an_example(tmp_path: Path) -> None:
    done = talentml("ingest", "--until", "01/02/2013", "--json", home=tmp_path)
    assert done.code == errors.DataError.exit_code
    assert "2013-01-01" in done.answer["message"]


def test_a_reader_that_stops_reading_ends_the_command_quietly() -> None:
    done = subprocess.run(f"{TALENTML} products | true", shell=True, capture_output=True, text=True, timeout=LONG)
    assert "Traceback" not in done.stderr


def test_promote_without_a_product_or_a_verdict_says_what_it_needs(tmp_path: Path) -> None:
    done = talentml("promote", "--json", home=tmp_path)
    assert done.code == 2
    assert "--replay VERDICT" in done.answer["message"]
