//! Reads server-sent events out of chunks of bytes, as the HTML standard's "Interpreting an event stream" says.
//!
//! The browser's own `EventSource` can send no header and gives up for good after an error, so the stream is read
//! with fetch and taken apart here.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    /// The last id that was told, on this event or an earlier one.
    pub id: Option<String>,
    /// Its name, `message` unless told.
    pub name: String,
    /// Its data lines, joined by line feeds.
    pub data: String,
}

/// A reader that keeps what is unfinished between chunks.
#[derive(Debug, Default)]
pub struct SseReader {
    unread: Vec<u8>,
    id: Option<String>,
    name: String,
    data: Vec<String>,
}

impl SseReader {
    /// Takes the next bytes and gives the events that they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<SseEvent> {
        self.unread.extend_from_slice(bytes);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some(length) = self.unread[start..]
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
        {
            let end = start + length;
            if self.unread[end] == b'\r' && end + 1 == self.unread.len() {
                break; // The line feed that belongs to it may come with the next chunk.
            }
            let line = String::from_utf8_lossy(&self.unread[start..end]).into_owned();
            let pair = self.unread[end] == b'\r' && self.unread[end + 1] == b'\n';
            start = end + if pair { 2 } else { 1 };
            events.extend(self.line(&line));
        }
        self.unread.drain(..start);
        events
    }

    fn line(&mut self, line: &str) -> Option<SseEvent> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => self.data.push(value.to_owned()),
            "event" => value.clone_into(&mut self.name),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if data.is_empty() {
            return None;
        }
        Some(SseEvent {
            id: self.id.clone(),
            name: if name.is_empty() {
                "message".to_owned()
            } else {
                name
            },
            data: data.join("\n"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::SseReader;

    fn read(chunks: &[&str]) -> Vec<(Option<String>, String, String)> {
        let mut reader = SseReader::default();
        chunks
            .iter()
            .flat_map(|chunk| reader.feed(chunk.as_bytes()))
            .map(|event| (event.id, event.name, event.data))
            .collect()
    }

    #[test]
    fn an_event_cut_anywhere_reads_the_same() {
        let text = "id: 7\nevent: metrics\ndata: {\"a\":\ndata: 1}\n\n: beat\n\ndata: x\r\n\r\n";
        let whole = read(&[text]);
        assert_eq!(whole.len(), 2);
        assert_eq!(
            whole[0],
            (Some("7".into()), "metrics".into(), "{\"a\":\n1}".into())
        );
        assert_eq!(whole[1], (Some("7".into()), "message".into(), "x".into()));
        for cut in 1..text.len() {
            assert_eq!(read(&[&text[..cut], &text[cut..]]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn an_unfinished_event_and_a_comment_give_nothing() {
        assert!(read(&["data: x\n", ": keep-alive\n"]).is_empty());
    }
}
