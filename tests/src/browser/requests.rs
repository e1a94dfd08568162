//! What a page asks of its server.

use super::Browser;

/// Notes the path of each request when it is sent, and each stream's `Last-Event-ID`.
const NOTE: &str = "window.asked = []; window.places = [];
    const send = window.fetch;
    window.fetch = (request, options) => {
        const path = new URL(request.url ?? request, location.href).pathname;
        asked.push(path);
        if (path.endsWith('/stream')) places.push(request.headers.get('last-event-id') ?? '');
        return send.call(window, request, options);
    };";

impl Browser {
    /// Notes what every page from here on asks for.
    pub async fn note_requests(&self) {
        self.before_each_page(NOTE).await;
    }

    /// How often the page that is shown has asked for a path, whatever its query.
    pub async fn asked(&self, path: &str) -> u64 {
        let script = format!("return asked.filter(known => known === '{path}').length");
        self.script(&script).await.as_u64().expect("a count")
    }

    /// The `Last-Event-ID` of each stream that the page that is shown has opened, empty where it told none.
    pub async fn places(&self) -> Vec<String> {
        let places = self.script("return places").await;
        let places = places.as_array().cloned().unwrap_or_default();
        places
            .iter()
            .map(|place| place.as_str().unwrap_or_default().to_owned())
            .collect()
    }
}
