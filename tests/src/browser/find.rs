//! Finding controls as assistive technology does: in the accessibility tree, by role and name.

use super::Browser;
use serde_json::{Value, json};
use std::path::Path;
use thirtyfour::{By, Key, WebElement};

/// Roles of what a form asks with.
const FIELDS: [&str; 8] = [
    "textbox",
    "searchbox",
    "spinbutton",
    "combobox",
    "listbox",
    "checkbox",
    "switch",
    "radio",
];

impl Browser {
    /// Waits for the control with this role and name.
    pub async fn control(&self, role: &str, name: &str) -> WebElement {
        self.any_control(&[role], name).await
    }

    /// Waits for the button with this name.
    pub async fn button(&self, name: &str) -> WebElement {
        self.control("button", name).await
    }

    /// Waits for the link or button with this name.
    pub async fn action(&self, name: &str) -> WebElement {
        self.any_control(&["link", "button"], name).await
    }

    /// Waits for the form's field with this label.
    pub async fn field(&self, label: &str) -> WebElement {
        self.any_control(&FIELDS, label).await
    }

    /// Waits for the named section of a page.
    pub async fn section(&self, name: &str) -> WebElement {
        self.any_control(&["region", "group", "form"], name).await
    }

    /// Clicks the link or button with this name.
    pub async fn click(&self, name: &str) {
        let action = self.action(name).await;
        if action.click().await.is_err() {
            // What passes, as a toast does, may lie over it at the window's edge: whoever sees that scrolls.
            self.script_on("arguments[0].scrollIntoView({block: 'center'})", &action)
                .await;
            action
                .click()
                .await
                .unwrap_or_else(|error| panic!("`{name}` can't be clicked: {error}"));
        }
    }

    /// Puts text into a field in place of what it holds, by the keyboard.
    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.click().await.expect("the field can be clicked");
        field
            .send_keys(Key::Control + "a")
            .await
            .expect("the field takes keys");
        field.send_keys(Key::Delete).await.expect("the field takes keys");
        field.send_keys(text).await.expect("the field takes keys");
    }

    /// Chooses an entry of a select by its text.
    pub async fn choose(&self, label: &str, entry: &str) {
        let field = self.field(label).await;
        let select = thirtyfour::components::SelectElement::new(&field)
            .await
            .expect("a select");
        select
            .select_by_visible_text(entry)
            .await
            .expect("the entry is there");
    }

    /// Hands a file to the page's file input, as its dialog would.
    pub async fn choose_file(&self, file: &Path) {
        self.until("there is a file input", async || {
            self.web.find(By::Css("input[type=file]")).await.is_ok()
        })
        .await;
        let input = self
            .web
            .find(By::Css("input[type=file]"))
            .await
            .expect("just found");
        input
            .send_keys(file.to_str().expect("a plain path"))
            .await
            .expect("the input takes a file");
    }

    /// What a field holds.
    pub async fn value(&self, label: &str) -> String {
        self.field(label)
            .await
            .prop("value")
            .await
            .expect("a field")
            .unwrap_or_default()
    }

    /// Waits until a field holds this.
    pub async fn holds(&self, label: &str, value: &str) {
        self.until(&format!("“{label}” holds “{value}”"), async || {
            self.value(label).await == value
        })
        .await;
    }

    /// Whether a control is there now.
    pub async fn has(&self, role: &str, name: &str) -> bool {
        !self.query(&[role], name).await.is_empty()
    }

    /// Waits until a control is gone.
    pub async fn gone(&self, role: &str, name: &str) {
        self.until(&format!("the {role} “{name}” is gone"), async || {
            !self.has(role, name).await
        })
        .await;
    }

    /// The text that a field's `aria-describedby` points at.
    pub async fn description(&self, label: &str) -> String {
        let field = self.field(label).await;
        let script = "return (arguments[0].getAttribute('aria-describedby') || '').split(/\\s+/)
            .map(id => document.getElementById(id)).filter(element => element && !element.hidden)
            .map(element => element.innerText).join(' ').trim()";
        let answer = self
            .web
            .execute(script, vec![field.to_json().expect("an element")])
            .await;
        answer
            .expect("the script runs")
            .json()
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The name of the control that has the focus.
    pub async fn focus_name(&self) -> String {
        let focused = self.focused().await;
        let script = "window.__attune_focused = arguments[0]";
        self.web
            .execute(script, vec![focused.to_json().expect("an element")])
            .await
            .expect("the script runs");
        let answer = self
            .cdp(
                "Runtime.evaluate",
                json!({"expression": "window.__attune_focused"}),
            )
            .await;
        let object = &answer["result"]["objectId"];
        let tree = self
            .cdp(
                "Accessibility.getPartialAXTree",
                json!({"objectId": object, "fetchRelatives": false}),
            )
            .await;
        tree["nodes"][0]["name"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Moves the focus with the Tab key until the named control has it.
    pub async fn tab_to(&self, name: &str) {
        let mut passed = Vec::new();
        for _ in 0..80 {
            self.press(Key::Tab).await;
            let focused = self.focus_name().await;
            if focused == name {
                return;
            }
            passed.push(focused);
        }
        panic!("the Tab key doesn't reach “{name}”; it passed {passed:?}");
    }

    /// Waits for a displayed element that a style's selector names: for what has no name of its own.
    pub async fn find_css(&self, selector: &str) -> WebElement {
        let mut found = None;
        self.until(&format!("there is {selector}"), async || {
            found = None;
            for element in self.web.find_all(By::Css(selector)).await.unwrap_or_default() {
                if element.is_displayed().await.unwrap_or(false) {
                    found = Some(element);
                    break;
                }
            }
            found.is_some()
        })
        .await;
        found.expect("just found")
    }

    /// Clicks what a selector finds, for what is neither link nor button.
    pub async fn click_css(&self, selector: &str) {
        let found = self.find_css(selector).await;
        found.click().await.expect("it can be clicked");
    }

    /// Every control with its role, for the message of a failed test.
    pub(super) async fn names(&self) -> Vec<String> {
        let tree = self.cdp("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().cloned().unwrap_or_default();
        let shown = |node: &Value| {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            let named = node["name"]["value"].as_str().unwrap_or_default();
            let quiet = [
                "StaticText",
                "InlineTextBox",
                "none",
                "generic",
                "LabelText",
                "paragraph",
            ];
            (!named.is_empty() && !quiet.contains(&role)).then(|| format!("{role} “{named}”"))
        };
        nodes
            .iter()
            .filter(|node| node["ignored"] != true)
            .filter_map(shown)
            .collect()
    }

    async fn any_control(&self, roles: &[&str], name: &str) -> WebElement {
        let mut found = None;
        self.until(
            &format!("there is a {} “{name}”", roles.join(" or ")),
            async || {
                found = match self.query(roles, name).await.first() {
                    Some(node) => self.element(node).await,
                    None => None,
                };
                found.is_some()
            },
        )
        .await;
        found.expect("just found")
    }

    /// The nodes of the accessibility tree with one of these roles and this name.
    async fn query(&self, roles: &[&str], name: &str) -> Vec<Value> {
        let document = self.cdp("DOM.getDocument", json!({"depth": 0})).await;
        let query = json!({"nodeId": document["root"]["nodeId"], "accessibleName": name});
        let answer = self.cdp("Accessibility.queryAXTree", query).await;
        let mut nodes = answer["nodes"].as_array().cloned().unwrap_or_default();
        nodes.retain(|node| {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            node["ignored"] != true && roles.contains(&role)
        });
        nodes
    }

    /// The element of a node; nothing where the page has changed since.
    async fn element(&self, node: &Value) -> Option<WebElement> {
        let resolved = self
            .cdp(
                "DOM.resolveNode",
                json!({"backendNodeId": node["backendDOMNodeId"]}),
            )
            .await;
        let keep = "function () { window.__attune_found = this }";
        let object = &resolved["object"]["objectId"];
        self.cdp(
            "Runtime.callFunctionOn",
            json!({"objectId": object, "functionDeclaration": keep}),
        )
        .await;
        self.web
            .execute("return window.__attune_found", vec![])
            .await
            .ok()?
            .element()
            .ok()
    }

    /// A command of the browser's own protocol; null where the page changed under it.
    async fn cdp(&self, method: &str, parameters: Value) -> Value {
        self.web
            .cdp()
            .send_raw(method, parameters)
            .await
            .unwrap_or_default()
    }
}
