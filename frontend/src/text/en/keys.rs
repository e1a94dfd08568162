//! Keys of `/v1`.

words! {
    /// The card.
    api_keys = "API keys";
    /// Opens the form.
    new_key = "New key";
    /// Where there is none.
    no_keys_title = "No key yet";
    /// Where there is none.
    no_keys_body = "With a key, programs call this server as they call OpenAI's fine-tuning API. Their jobs stand here beside the others.";
    /// The field.
    key_name = "Name of the key";
    /// Under the field.
    hint_key_name = "What it is for, such as notebook.";
    /// Under the field.
    key_name_wrong = "Write 1 to 100 characters.";
    /// Sends the form.
    create_key = "Create key";
    /// Heads the secret.
    key_secret_title = "The new key";
    /// Copies the secret.
    copy_key = "Copy the key";
    /// After copying.
    key_copied = "The key was copied.";
    /// Before how long ago a key was made.
    key_made = "Made";
    /// Before how long ago a key was used.
    key_used = "Last used";
    /// Of a key that nobody used.
    key_unused = "Not used yet";
    /// Of a key that may administer.
    key_admin = "Administrator";
    /// The dialog.
    delete_key_body = "Programs that use it are refused from then on; the jobs that they made stay. This can't be undone.";
}

/// With the secret.
#[must_use]
pub fn key_secret_once(address: &str) -> String {
    german!(key_secret_once(address));
    format!(
        "It is shown this once and can't be seen again. In OpenAI's SDKs it is the api_key, and {address} the base_url."
    )
}
