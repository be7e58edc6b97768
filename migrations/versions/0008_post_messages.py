"""The statement behind every post: many messages for many rooms, stored once each, in one round trip.

A function, since the rooms must be locked in a statement before the one that looks, and both are one transaction here.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The rooms are locked in the order of their ids, which every batch keeps. What follows runs in a snapshot taken after
# the locks, hence sees every repeat, every membership and each room's last seq as they are. A posting without a row in
# the answer was refused: its sender is not in the room, or it is archived.
# Nothing here is joined with what was just written, which is why the ids are drawn before: the planner takes a batch
# for a few rows, and would compare every two of it.
FUNCTION = """
CREATE FUNCTION post_messages(room_ids integer[], sender_ids integer[], nonces uuid[], texts text[])
RETURNS TABLE (place bigint, id bigint, seq bigint, at timestamptz, same boolean)
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
    ids regclass := pg_get_serial_sequence('messages', 'id');
BEGIN
    PERFORM FROM rooms WHERE rooms.id = ANY (room_ids) ORDER BY rooms.id FOR NO KEY UPDATE;
    RETURN QUERY
    WITH posting AS (
        SELECT * FROM unnest(room_ids, sender_ids, nonces, texts) WITH ORDINALITY
            AS posting (room_id, sender_id, nonce, text, place)
    ), known AS (
        SELECT posting.place, messages.id, messages.seq, messages.at,
            messages.room_id = posting.room_id AND posting.text = coalesce(
                (SELECT version.text FROM message_versions AS version
                 WHERE version.message_id = messages.id ORDER BY version.changed LIMIT 1),
                messages.text) AS same
        FROM posting JOIN messages USING (sender_id, nonce)
    ), fresh AS (
        SELECT posting.*, nextval(ids) AS id,
            rooms.last_seq + row_number() OVER (PARTITION BY posting.room_id ORDER BY place) AS seq
        FROM posting
        JOIN memberships ON memberships.room_id = posting.room_id AND memberships.user_id = posting.sender_id
        JOIN rooms ON rooms.id = posting.room_id AND rooms.archived_at IS NULL
        WHERE place NOT IN (SELECT place FROM known)
    ), grown AS (
        UPDATE rooms SET last_seq = growth.seq, last_message_at = now()
        FROM (SELECT room_id, max(seq) AS seq FROM fresh GROUP BY room_id) AS growth
        WHERE rooms.id = growth.room_id
    ), stored AS (
        INSERT INTO messages (id, room_id, seq, changed, sender_id, nonce, text, at) OVERRIDING SYSTEM VALUE
        SELECT id, room_id, seq, seq, sender_id, nonce, text, now() FROM fresh
    )
    SELECT place, id, seq, now(), true FROM fresh
    UNION ALL
    SELECT place, id, seq, at, same FROM known;
END
$function$
"""


def upgrade() -> None:
    op.execute(FUNCTION)


def downgrade() -> None:
    op.execute("DROP FUNCTION post_messages")
