"""When what others see of a user was changed last: to be told again by a process that may not have heard of it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    changed = sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
    op.add_column("users", changed)
    op.create_index("users_changed_at_index", "users", ["changed_at"])


def downgrade() -> None:
    op.drop_index("users_changed_at_index", "users")
    op.drop_column("users", "changed_at")
