//! What went wrong and what to do.

german_words! {
    outdated = "Das ist vielleicht nicht mehr aktuell.";
    unreachable = "Der Server ist nicht erreichbar";
    offline = "Keine Netzverbindung";
    workspace_full = "Der Workspace ist voll";
    try_again = "Erneut versuchen";
    make_room = "Jobs zum Löschen wählen";
    another_job = "Einen weiteren Job daraus machen";
    answer_unreadable = "Die Antwort ist nicht lesbar";
    not_there = "Das gibt es nicht";
    not_allowed = "Das ist nicht erlaubt";
    too_much = "Das ist für den Moment zu viel";
    upstream_slow = "Der Upstream ist zu langsam";
    upstream_refuses = "Der Upstream lehnt den Schlüssel des Servers ab";
    upstream_unreachable = "Der Upstream ist nicht erreichbar";
    upstream_senseless = "Die Antwort des Upstreams ergibt keinen Sinn";
    upstream_trouble = "Der Upstream hat Probleme";
    may_not_create = "Der Schlüssel des Servers darf keine Jobs anlegen";
    offline_advice = "Dieser Browser hat kein Netz. Sobald es wieder da ist, wird es von selbst erneut versucht.";
    unreachable_advice = "Läuft `attune serve` noch? Es wird von selbst erneut versucht.";
    unreadable_advice = "Konsole und Server passen nicht zusammen. Die Seite neu laden; hilft das nicht, den Server aktualisieren.";
    status_advice = "Etwas zwischen dieser Seite und dem Server hat an seiner Stelle geantwortet.";
    draft_kept = "Der Entwurf bleibt erhalten.";
    no_network = "Dieser Browser hat kein Netz.";
    when_back = "Erneut versuchen, wenn es wieder da ist.";
    still_running = "Läuft `attune serve` noch?";
    safe_to_repeat = "Wiederholen ist gefahrlos: Es entsteht nie ein zweiter Job.";
    looked_up_first = "Zuerst wird nachgesehen, ob der Job entstanden ist: Wiederholen macht nie einen zweiten Job.";
    permission_advice = "Wer diesen Server betreibt, kann seinem Schlüssel dieses Recht geben.";
}

pub(crate) fn server_answered(status: u16) -> String {
    format!("Der Server antwortete mit {status}")
}

pub(crate) fn no_config(reason: &str) -> String {
    format!("Die Datei config.json, die sagt, wo der Server dieser Seite ist, ist nicht lesbar: {reason}")
}
