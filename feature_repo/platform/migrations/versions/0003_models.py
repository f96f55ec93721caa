"""Model versions, champion moves, training history."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    model_versions()
    champion_moves()
    model_training_history()


def downgrade() -> None:
    op.drop_table("model_training_history")
    op.drop_table("champion_moves")
    op.drop_table("model_versions")


def model_versions() -> None:
    op.create_table(
        "model_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trained_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data_hash", sa.String(length=128), nullable=False),
        sa.Column("code_revision", sa.String(length=128), nullable=False),
        sa.Column("feature_service", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("product", "key", name=op.f("uq_model_versions__product_key")),
        sa.UniqueConstraint("product", "number", name=op.f("uq_model_versions__product_number")),
    )
    op.create_index(
        "uq_model_versions__active",
        "model_versions",
        ["product"],
        unique=True,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active"),
    )


def champion_moves() -> None:
    op.create_table(
        "champion_moves",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("verdict_id", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('promote', 'rollback', 'manual')", name=op.f("ck_champion_moves__kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_champion_moves")),
        sa.UniqueConstraint("verdict_id", name=op.f("uq_champion_moves__verdict_id")),
    )
    op.create_index(
        op.f("ix_champion_moves__product_moved_at"), "champion_moves", ["product", "moved_at"], unique=False
    )


def model_training_history() -> None:
    op.create_table(
        "model_training_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("baselines", sa.JSON(), nullable=False),
        sa.Column("hyperparameters", sa.JSON(), nullable=False),
        sa.Column("importance", sa.JSON(), nullable=False),
        sa.Column("confusion", sa.JSON(), nullable=False),
        sa.Column("cross_validation", sa.JSON(), nullable=False),
        sa.Column("data_hash", sa.String(length=128), nullable=False),
        sa.Column("code_revision", sa.String(length=128), nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_training_history")),
        sa.UniqueConstraint("product", "key", name=op.f("uq_model_training_history__product_key")),
    )
    op.create_index(
        op.f("ix_model_training_history__product_trained_at"),
        "model_training_history",
        ["product", "trained_at"],
        unique=False,
    )
