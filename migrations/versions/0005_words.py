"""The words of messages, indexed: kept from the start, since adding them later would rewrite a grown table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "messages",
        sa.Column("words", TSVECTOR, sa.Computed("to_tsvector('simple'::regconfig, text)", persisted=True)),
    )
    op.create_index("messages_words_index", "messages", ["words"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_index("messages_words_index", "messages")
    op.drop_column("messages", "words")
