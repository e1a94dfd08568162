//! Keys of `/v1`.

german_words! {
    api_keys = "API-Schlüssel";
    new_key = "Neuer Schlüssel";
    no_keys_title = "Noch kein Schlüssel";
    no_keys_body = "Mit einem Schlüssel rufen Programme diesen Server auf wie die Fine-Tuning-API von OpenAI. Ihre Jobs stehen hier neben den anderen.";
    key_name = "Name des Schlüssels";
    hint_key_name = "Wofür er ist, zum Beispiel notebook.";
    key_name_wrong = "1 bis 100 Zeichen angeben.";
    create_key = "Schlüssel erstellen";
    key_secret_title = "Der neue Schlüssel";
    copy_key = "Schlüssel kopieren";
    key_copied = "Der Schlüssel wurde kopiert.";
    key_made = "Erstellt";
    key_used = "Zuletzt benutzt";
    key_unused = "Noch nicht benutzt";
    key_admin = "Verwaltung";
    delete_key_body = "Programme, die ihn benutzen, werden von da an abgewiesen; die Jobs, die sie angelegt haben, bleiben. Das lässt sich nicht rückgängig machen.";
}

pub(crate) fn key_secret_once(address: &str) -> String {
    format!(
        "Er wird nur dieses eine Mal angezeigt. In den SDKs von OpenAI ist er der api_key und {address} die base_url."
    )
}
