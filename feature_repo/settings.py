"""Where things are. The only reader of the environment: TALENTML_* variables, then .env, then the defaults below."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from feature_repo.errors import SettingsError


class OwnDotEnv(DotEnvSettingsSource):
    """.env less what is not ours: docker compose reads its passwords from the same file."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found = super()._load_env_vars()
        return {name: text for name, text in found.items() if name.lower().startswith(self.env_prefix.lower())}


class Settings(BaseSettings):
    """Settings say where, products say what.

    A source or server without an address is one that `talentml servers start` runs and records under the home.
    """

    model_config = SettingsConfigDict(env_prefix="TALENTML_", env_file=".env", frozen=True, extra="forbid")

    home: Path = Field(Path(".talentml"), description="The folder that holds all state")
    mysql_url: SecretStr | None = Field(None, description="mysql://user:password@host:port, no database")
    neo4j_url: SecretStr | None = Field(None, description="bolt://user:password@host:port")
    mongodb_url: SecretStr | None = Field(None, description="mongodb://user:password@host:port")
    mysqld_bin: Path | None = Field(None, description="A mysqld or mariadbd to start when there is no mysql_url")
    neo4j_home: Path | None = Field(None, description="A Neo4j installation to start when there is no neo4j_url")
    mongod_bin: Path | None = Field(None, description="A mongod to start when there is no mongodb_url")
    docker: bool = Field(True, description="Whether docker compose may start a source, where an engine answers")
    database_url: SecretStr | None = Field(None, description="Platform tables; SQLite under the home by default")
    mlflow_url: str | None = Field(None, description="http://host:port of the MLflow server")
    airflow_url: str | None = Field(None, description="http://host:port of the Airflow API")
    service_url: str | None = Field(None, description="http://host:port of the prediction service")
    jwt_secret: SecretStr | None = Field(None, description="HS256 key, 32 bytes or more; or HOME/jwt_secret")
    jwt_jwks: Path | None = Field(None, description="A JWKS file of RS256 keys, instead of a secret")
    jwt_issuer: str = Field("talentml", description="Whose tokens are taken (iss)")
    jwt_audience: str = Field("talentml", description="Whom a token must be meant for (aud)")
    service_token: SecretStr | None = Field(None, description="What our verbs show the service where JWKS signs tokens")
    rate_limit: str = Field("100/minute", description="Requests per subject, as `limits` writes them")
    redis_url: SecretStr | None = Field(None, description="redis://... to share limits between machines; else memory")
    embedding_model: Path | None = Field(None, description="A sentence-transformers BERT folder; the packaged MiniLM")
    real_data: Path = Field(Path("../shared/data"), description="The folder of the public data sets (evaluate --suite)")
    rejected_share: float = Field(0.2, ge=0, le=1, description="Share of a stream's rows that check may reject at most")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then .env."""
        del file_secret_settings
        file = getattr(dotenv_settings, "env_file", None)
        return init_settings, env_settings, OwnDotEnv(settings_cls, env_file=file)

    @property
    def root(self) -> Path:
        """The home as an absolute path; it need not exist yet."""
        return self.home.expanduser().resolve()

    def variables(self) -> dict[str, str]:
        """These settings as TALENTML_* variables, secrets included, for processes that are to find the same home."""
        given = {name: getattr(self, name) for name in sorted(self.model_fields_set) if name != "home"}
        shown = {f"TALENTML_{name.upper()}": _plain(value) for name, value in given.items() if value is not None}
        return {**shown, "TALENTML_HOME": str(self.root)}


def _plain(value: object) -> str:
    """A setting as a variable of the environment; paths absolute, as the reader may work in another folder."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.expanduser().absolute() if isinstance(value, Path) else value)


def load(**flags: object) -> Settings:
    """The settings, flags before environment before .env before defaults.

    Raises SettingsError, which names each setting that is unknown or malformed, and never its value.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"settings: {wrong}. Allowed: {', '.join(sorted(Settings.model_fields))}") from None
