"""Rooms and memberships."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False, server_default=""),
        sa.Column("last_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("last_message_at", sa.DateTime(timezone=True)),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("archived_at", sa.DateTime(timezone=True)),
        sa.Column("direct_low", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("direct_high", sa.Integer, sa.ForeignKey("users.id")),
        sa.UniqueConstraint("direct_low", "direct_high"),
        sa.CheckConstraint("kind IN ('public', 'private', 'direct')", name="kind"),
        sa.CheckConstraint(
            "(kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL)", name="direct_pair"
        ),
        sa.CheckConstraint("direct_low <= direct_high", name="direct_order"),
    )
    op.create_index(
        "rooms_public_name_key",
        "rooms",
        [sa.text("lower(name)")],
        unique=True,
        postgresql_where=sa.text("kind = 'public' AND archived_at IS NULL"),
    )
    op.create_table(
        "memberships",
        sa.Column("room_id", sa.Integer, sa.ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("read_seq", sa.BigInteger, nullable=False),
        sa.Column("involvement", sa.Text, nullable=False, server_default="everything"),
        sa.CheckConstraint("involvement IN ('everything', 'mentions', 'nothing')", name="involvement"),
    )
    op.create_index(None, "memberships", ["user_id"])


def downgrade() -> None:
    op.drop_table("memberships")
    op.drop_table("rooms")
