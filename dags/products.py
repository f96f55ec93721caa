"""A weekly DAG per product, all of it derived from the product's declaration."""

from airflow.sdk import DAG, Asset, chain

from dags.steps import FEATURES, step, workflow
from serving.airflow import dag_of
from training.product import Product
from training.products import PRODUCTS


def model(product: Product) -> Asset:
    """What a promotion gives: deploy and whatever else listens for a new champion."""
    return Asset(f"talentml_model_{product.name}")


def weekly(product: Product) -> DAG:
    """train -> evaluate -> promote -> deploy -> drift; a refusal skips deploy, and drift still runs."""
    name, as_of = product.name, ("--as-of", '"$AS_OF"')
    with workflow(dag_of(name), product.schedule, product.title, description(product), [name]) as dag:
        chain(
            step("train", name, *as_of, inlets=[FEATURES]),
            step("evaluate", name, "--candidate", "--until", '"$AS_OF"'),
            step("promote", name, *as_of, outlets=[model(product)]),
            step("deploy", name, inlets=[model(product)]),
            step("drift", name, *as_of, trigger_rule="none_failed"),
        )
    return dag


def description(product: Product) -> str:
    """The page that Airflow shows of a product."""
    gate = product.gate
    columns = "\n".join(f"- `{column.qualified}`: {column.description}" for column in product.columns)
    return (
        f"# {product.title}\n\nLearns `{product.label.name}` for {', '.join(one.name for one in product.entities)}; "
        f"answers {', '.join(f'`{output}`' for output in product.outputs)} at `{product.route.path}`.\n\n"
        f"**Gate**: promoted when `{gate.metric}` beats `{gate.beats}`, and then on at least {gate.improvement:.0%} "
        f"improvement at {gate.confidence:.0%} confidence over {gate.minimum_units} units or more; a refusal is a "
        f"skipped task.\n\n**Columns** ({len(product.columns)})\n\n{columns}\n"
    )


for declared in PRODUCTS.values():
    weekly(declared)
