from pathlib import Path

import pytest

from feature_repo.errors import SettingsError
from feature_repo.settings import load


def test_flags_come_before_the_environment_and_the_environment_before_dotenv(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("TALENTML_HOME=from-dotenv\nTALENTML_MLFLOW_URL=http://dotenv:1\n")
    assert load().home == Path("from-dotenv")
    monkeypatch.setenv("TALENTML_HOME", "from-environment")
    assert load().home == Path("from-environment")
    assert load(home="from-flag").home == Path("from-flag")
    assert load(home="from-flag").mlflow_url == "http://dotenv:1"


def test_an_unknown_setting_is_refused_by_name_without_its_value():
    with pytest.raises(SettingsError, match="homme") as caught:
        load(homme="hunter2")
    assert "hunter2" not in str(caught.value)


def test_secrets_do_not_show():
    assert "hunter2" not in repr(load(mysql_url="mysql://root:hunter2@localhost:1"))
