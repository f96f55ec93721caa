"""docker-compose.yml where there is no Docker: what it starts, what it passes, and that no secret is in it."""

import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from dags.plans import REPOSITORY, airflow_environment
from feature_repo.settings import Settings, load
from feature_repo.sources.engines import compose
from feature_repo.sources.probes import place
from feature_repo.sources.servers import SOURCES
from serving import launch
from serving.access.keys import secret
from serving.limits import Limits

TEXT = (REPOSITORY / "docker-compose.yml").read_text()
EXAMPLE = (REPOSITORY / ".env.example").read_text()
VARIABLES = dict.fromkeys(compose.required(TEXT), "a-password")


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """${NAME}, ${NAME:-default} and ${NAME:?complaint} as docker compose reads them, the innermost first."""

    def value(match: re.Match[str]) -> str:
        name, operator, rest = match.groups()
        if not variables.get(name) and operator == ":?":
            raise KeyError(f"{name}: {rest}")
        return variables.get(name) or (rest if operator == ":-" else "")

    while (found := re.sub(r"(?<!\$)\$\{(\w+)(:[-?])?([^${}]*)\}", value, text)) != text:
        text = found
    return text


def services(variables: Mapping[str, str] = VARIABLES) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(interpolated(TEXT, variables))["services"]
    return found


def ours() -> dict[str, dict[str, str]]:
    """The services that get settings of ours -> the settings, as field names."""
    prefix = "TALENTML_"
    named = {name: one.get("environment", {}) for name, one in services().items()}
    passed = {
        name: {key.removeprefix(prefix).lower(): text for key, text in variables.items() if key.startswith(prefix)}
        for name, variables in named.items()
    }
    return {name: fields for name, fields in passed.items() if fields}


def test_every_store_and_server_of_the_platform_is_there() -> None:
    assert set(services()) == {
        *SOURCES,
        *("postgres", "redis", "mlflow", "service"),
        *(f"airflow-{part}" for part in ("api-server", "scheduler", "dag-processor", "triggerer")),
    }


def test_each_service_has_a_profile_a_health_check_and_a_restart_policy() -> None:
    for name, one in services().items():
        assert one["profiles"] in (["sources"], ["platform"]), name
        assert one["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        assert {"interval", "timeout", "retries"} <= set(one["healthcheck"]), name
        assert one["restart"] == "unless-stopped", name


def test_the_sources_are_the_profile_sources() -> None:
    assert {name for name, one in services().items() if one["profiles"] == ["sources"]} == set(SOURCES)


@pytest.mark.parametrize("name", ["mysql:8.4", "neo4j:5.26", "mongo:7.0", "postgres:16", "redis:7.4"])
def test_the_real_images_are_pinned(name: str) -> None:
    assert name in {one["image"] for one in services().values()}


def test_every_other_image_is_ours_at_our_version() -> None:
    built = {one["image"] for one in services().values() if "build" in one}
    assert built == {f"talentml:{version('talentml')}"}
    assert "FROM python:3.11-slim\n" in (REPOSITORY / "docker/Dockerfile").read_text()


def test_what_a_service_waits_for_exists_and_is_healthy_or_may_be_left_out() -> None:
    for name, one in services().items():
        for other, how in one.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy", name
            assert services()[other]["profiles"] == one["profiles"] or how["required"] is False, name


def test_every_port_is_published_on_loopback_only() -> None:
    ports = [port for one in services().values() for port in one.get("ports", [])]
    assert len(ports) == 6
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_volume_and_file_that_is_mounted_exists() -> None:
    declared = yaml.safe_load(TEXT)["volumes"]
    for one in services().values():
        for mount in one.get("volumes", []):
            source = mount.split(":")[0]
            assert (REPOSITORY / source).is_file() if source.startswith("./") else source in declared


def test_each_password_and_key_comes_from_the_environment() -> None:
    """Interpolated with marked values, every place that could hold a secret holds a marked one."""
    secretive = re.compile(r"PASSWORD$|_KEY$|SECRET$|_AUTH$|REDISCLI")
    for name, one in services(dict.fromkeys(VARIABLES, "marked")).items():
        for key, text in one.get("environment", {}).items():
            if secretive.search(key) or "@" in str(text):
                assert "marked" in str(text), f"{name} {key}"


def test_compose_refuses_to_start_while_a_secret_is_missing() -> None:
    assert len(VARIABLES) == 11
    for name in VARIABLES:
        with pytest.raises(KeyError, match=name):
            interpolated(TEXT, {**VARIABLES, name: ""})


def test_the_example_names_every_variable_and_fills_in_none() -> None:
    rows = dict(row.split("=", 1) for row in EXAMPLE.splitlines() if row and not row.startswith("#"))
    assert rows == dict.fromkeys(VARIABLES, "")
    optional = set(re.findall(r"\$\{(\w+):-", TEXT))
    assert {row.lstrip("#").split("=")[0] for row in EXAMPLE.splitlines() if row.startswith("#") and "=" in row} >= (
        optional
    )


def test_each_setting_that_is_passed_is_one_of_ours_and_valid() -> None:
    for fields in ours().values():
        assert set(fields) <= set(Settings.model_fields)
        load(**fields)


def test_our_settings_reach_airflow_and_the_service_alike() -> None:
    passed = ours()
    assert set(passed) == {"service", *(name for name in services() if name.startswith("airflow-"))}
    assert len({tuple(sorted(fields.items())) for fields in passed.values()}) == 1


def test_each_address_that_is_passed_leads_to_a_service_and_its_port() -> None:
    settings = load(**ours()["service"])
    stock = {"mysql": 3306, "neo4j": 7687, "mongodb": 27017, "postgres": 5432, "redis": 6379}
    published = {name: int(one["ports"][0].rpartition(":")[2]) for name, one in services().items() if "ports" in one}
    urls = (settings.mysql_url, settings.neo4j_url, settings.mongodb_url, settings.database_url, settings.redis_url)
    for url in urls:
        assert url is not None
        host, port = place(url).split("/")[0].split(":")
        assert stock[host] == int(port)
    for address in (settings.mlflow_url, settings.airflow_url, settings.service_url):
        assert address is not None
        host, port = address.rpartition("/")[2].rpartition("@")[2].split(":")
        assert published[host] == int(port)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TALENTML_MYSQL_URL", "mysql://me:mine@db:3306"),
        ("TALENTML_REDIS_URL", "redis://:mine@cache:6379/1"),
        ("TALENTML_RATE_LIMIT", "5/second"),
    ],
)
def test_ones_own_servers_and_limits_replace_ours(name: str, text: str) -> None:
    assert services({**VARIABLES, name: text})["service"]["environment"][name] == text


def test_the_service_has_no_key_but_the_one_that_the_operator_gives() -> None:
    with pytest.raises(KeyError, match=r"TALENTML_JWT_SECRET: set it in \.env"):
        services({name: text for name, text in VARIABLES.items() if name != "TALENTML_JWT_SECRET"})
    assert "TALENTML_JWT_SECRET" not in (REPOSITORY / "docker/Dockerfile").read_text()


def test_a_value_as_the_example_makes_them_is_a_key_that_the_service_takes() -> None:
    (made,) = re.findall(r"import secrets; print\(secrets\.(\w+)\((\d+)\)\)", EXAMPLE)
    value = getattr(secrets, made[0])(int(made[1]))
    assert secret(load(jwt_secret=value)) == value.encode()


def test_the_service_answers_with_two_workers_of_one_thread_each() -> None:
    given = services()["service"]["environment"]
    assert {name: given[name] for name in launch.ONE_THREAD} == launch.ONE_THREAD
    option = "BENTOML_CONFIG_OPTIONS"
    assert given[option] == launch.environment(load(), workers=2)[option]


def test_a_service_that_is_told_to_stop_has_the_time_to_write_its_log() -> None:
    grace = services()["service"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > 2 * Limits().log_flush_seconds


def test_every_option_of_airflow_that_we_set_exists(tmp_path: Path) -> None:
    spec = find_spec("airflow")
    assert spec is not None
    assert spec.origin is not None
    known = yaml.safe_load((Path(spec.origin).parent / "config_templates/config.yml").read_text())
    ours = {*airflow_environment(load(home=tmp_path), 1, tmp_path), *services()["airflow-scheduler"]["environment"]}
    options = [name.split("__", 2)[1:] for name in ours if name.startswith("AIRFLOW__")]
    assert len(options) > 15
    assert not [(section, name) for section, name in options if name.lower() not in known[section.lower()]["options"]]


def test_every_variable_of_mlflow_that_we_set_exists() -> None:
    spec = find_spec("mlflow")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    known = "".join((root / part).read_text() for part in ("environment_variables.py", "cli/__init__.py"))
    known += (root / "utils/cli_args.py").read_text()
    names = [name for name in services()["mlflow"]["environment"] if name.startswith("MLFLOW_")]
    assert len(names) == 6
    assert not [name for name in names if f'"{name}"' not in known]


def test_a_filled_in_example_leaves_our_settings_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docker compose and the settings read the same .env: the passwords in it are none of the settings' business."""
    (tmp_path / ".env").write_text(re.sub(r"=$", "=filled", EXAMPLE, flags=re.M) + "TALENTML_HOME=elsewhere\n")
    monkeypatch.chdir(tmp_path)
    assert load().home == Path("elsewhere")


def test_an_unknown_setting_of_ours_in_dotenv_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("TALENTML_NONSENSE=1\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match="talentml_nonsense"):
        load()


def test_the_engine_that_compose_offers_is_called_by_its_image() -> None:
    assert [compose.image_of(name) for name in SOURCES] == ["mysql:8.4", "neo4j:5.26", "mongo:7.0"]


@pytest.mark.skipif(
    not (shutil.which("docker") and compose.says_yes("compose", "version")),
    reason="docker has no compose plugin here",
)
def test_docker_compose_itself_accepts_the_file() -> None:
    command = ["docker", "compose", "--file", str(REPOSITORY / "docker-compose.yml"), "config", "--quiet"]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin", **VARIABLES}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
