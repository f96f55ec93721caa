"""The weekly features DAG: extract, check, publish. Sunday 02:00, the week that ended then."""

from airflow.sdk import chain

from dags.steps import AS_OF, FEATURES, FEATURES_SCHEDULE, step, workflow

with workflow("talentml_features", FEATURES_SCHEDULE, "Features", __doc__ or "", ["features"]):
    chain(
        step("ingest", "--until", '"$AS_OF"', as_of=AS_OF),
        step("check", "--as-of", '"$AS_OF"', as_of=AS_OF),
        step("materialize", "--until", '"$AS_OF"', as_of=AS_OF, outlets=[FEATURES]),
    )
