"""${message}.

Take short locks: add columns as NULL or with a constant default, indexes on big tables CONCURRENTLY in a migration of
their own, constraints NOT VALID first. Every migration says how to go back.
"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "raise NotImplementedError"}


def downgrade() -> None:
    ${downgrades if downgrades else "raise NotImplementedError"}
