"""The workspace and its users."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workspace",
        sa.Column("id", sa.SmallInteger, primary_key=True, server_default="1"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("epoch", sa.Uuid, nullable=False),
        sa.Column("open_registration", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("id = 1", name="only_one"),
    )
    op.execute("INSERT INTO workspace (name, epoch) VALUES ('Roomful', gen_random_uuid())")
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("username_key", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, server_default="person"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("last_seen_at", sa.DateTime(timezone=True)),
        sa.Column("deactivated_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("username_key"),
        sa.UniqueConstraint("email"),
        sa.CheckConstraint("role IN ('owner', 'admin', 'member', 'guest')", name="role"),
        sa.CheckConstraint("kind IN ('person', 'bot')", name="kind"),
    )


def downgrade() -> None:
    op.drop_table("users")
    op.drop_table("workspace")
