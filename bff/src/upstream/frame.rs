//! A message of a job's stream as it travels: one server-sent event.

use bytes::Bytes;
use shared::event::StreamMessage;

/// One event with the id to resume from, where the message is stored.
pub(super) fn frame(id: Option<&str>, message: &StreamMessage) -> Bytes {
    let mut text = String::new();
    // An id with a line break would be two fields.
    if let Some(id) = id.filter(|id| !id.contains(['\n', '\r', '\0'])) {
        text.push_str("id: ");
        text.push_str(id);
        text.push('\n');
    }
    text.push_str("event: ");
    text.push_str(name(message));
    text.push_str("\ndata: ");
    // JSON has no raw line breaks: one `data` line holds it.
    text.push_str(&serde_json::to_string(message).unwrap_or_default());
    text.push_str("\n\n");
    Bytes::from(text)
}

const fn name(message: &StreamMessage) -> &'static str {
    match message {
        StreamMessage::Job { .. } => "job",
        StreamMessage::Metrics { .. } => "metrics",
        StreamMessage::Event { .. } => "event",
        StreamMessage::Checkpoint { .. } => "checkpoint",
        StreamMessage::CheckpointRemoved { .. } => "checkpoint_removed",
        StreamMessage::End { .. } => "end",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::id::JobId;

    #[test]
    fn a_message_is_one_frame_named_by_its_tag() {
        assert_eq!(
            frame(Some("41"), &StreamMessage::CheckpointRemoved { step: 7 }),
            "id: 41\nevent: checkpoint_removed\ndata: {\"type\":\"checkpoint_removed\",\"step\":7}\n\n"
        );
    }

    #[test]
    fn an_id_can_not_smuggle_a_field() {
        let end = StreamMessage::End {
            job_id: JobId::from("a"),
        };
        assert!(frame(Some("1\ndata: evil"), &end).starts_with(b"event: end\n"));
    }
}
