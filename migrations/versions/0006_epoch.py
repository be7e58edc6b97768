"""What the epoch was made for, so that a restored database is told from one that only stood still."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workspace", sa.Column("epoch_of", sa.Text))


def downgrade() -> None:
    op.drop_column("workspace", "epoch_of")
