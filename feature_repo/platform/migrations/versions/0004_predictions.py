"""Predictions, interactions, feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    prediction_log()
    user_interactions()
    match_feedback()


def downgrade() -> None:
    op.drop_table("match_feedback")
    op.drop_table("user_interactions")
    op.drop_table("prediction_log")


def prediction_log() -> None:
    op.create_table(
        "prediction_log",
        sa.Column("prediction_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=True),
        sa.Column("snapshot", sa.String(length=128), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("features", sa.LargeBinary(), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("row_count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("milliseconds", sa.Float(), nullable=False),
        sa.Column("predicted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source in ('model', 'fallback')", name=op.f("ck_prediction_log__source")),
        sa.PrimaryKeyConstraint("prediction_id", name=op.f("pk_prediction_log")),
    )
    op.create_index(op.f("ix_prediction_log__predicted_at"), "prediction_log", ["predicted_at"], unique=False)
    op.create_index(
        op.f("ix_prediction_log__product_predicted_at"), "prediction_log", ["product", "predicted_at"], unique=False
    )


def user_interactions() -> None:
    op.create_table(
        "user_interactions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.String(length=128), nullable=False),
        sa.Column("item_id", sa.String(length=128), nullable=False),
        sa.Column("item_kind", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=True),
        sa.Column("prediction_id", sa.String(length=64), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_interactions")),
    )
    op.create_index(
        op.f("ix_user_interactions__item_id_happened_at"), "user_interactions", ["item_id", "happened_at"], unique=False
    )
    op.create_index(
        op.f("ix_user_interactions__person_id_happened_at"),
        "user_interactions",
        ["person_id", "happened_at"],
        unique=False,
    )
    op.create_index(op.f("ix_user_interactions__prediction_id"), "user_interactions", ["prediction_id"], unique=False)


def match_feedback() -> None:
    op.create_table(
        "match_feedback",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.String(length=128), nullable=False),
        sa.Column("item_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("prediction_id", sa.String(length=64), nullable=True),
        sa.Column("subject", sa.String(length=128), nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating between 1 and 5", name=op.f("ck_match_feedback__rating")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_feedback")),
        sa.UniqueConstraint("person_id", "item_id", "kind", name=op.f("uq_match_feedback__person_id_item_id_kind")),
    )
    op.create_index(
        op.f("ix_match_feedback__item_id_given_at"), "match_feedback", ["item_id", "given_at"], unique=False
    )
    op.create_index(
        op.f("ix_match_feedback__person_id_given_at"), "match_feedback", ["person_id", "given_at"], unique=False
    )
    op.create_index(
        op.f("ix_match_feedback__subject_given_at"), "match_feedback", ["subject", "given_at"], unique=False
    )
