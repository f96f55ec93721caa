"""Experiments; which arm of one answered."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    experiments()
    op.add_column("prediction_log", sa.Column("experiment", sa.String(length=64), nullable=True))
    op.add_column("prediction_log", sa.Column("arm", sa.String(length=16), nullable=True))
    op.add_column("prediction_log", sa.Column("unit", sa.String(length=128), nullable=True))
    op.create_index(op.f("ix_prediction_log__experiment"), "prediction_log", ["experiment"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_prediction_log__experiment"), "prediction_log")
    for name in ("unit", "arm", "experiment"):
        op.drop_column("prediction_log", name)
    op.drop_table("experiments")


def experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("champion", sa.Integer(), nullable=False),
        sa.Column("challenger", sa.Integer(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("alpha", sa.Float(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.CheckConstraint("mode in ('split', 'shadow')", name=op.f("ck_experiments__mode")),
        sa.CheckConstraint("share > 0 and share <= 1", name=op.f("ck_experiments__share")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
    )
    running = sa.text("stopped_at is null")
    op.create_index(
        "uq_experiments__running",
        "experiments",
        ["product"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_index(op.f("ix_experiments__product_started_at"), "experiments", ["product", "started_at"], unique=False)
