//! Line icons, 24 by 24, drawn in the colour of the text. They are decoration: whatever carries one has a name.

use yew::prelude::*;

/// Which icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named by what it shows")]
pub enum Icon {
    Logo,
    Home,
    Jobs,
    Plus,
    Minus,
    Data,
    Model,
    Settings,
    Trash,
    Download,
    Check,
    Alert,
    Close,
    Search,
    Upload,
    Copy,
    Keyboard,
    Repeat,
    Chat,
    Bell,
    Left,
    Right,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Logo => "M4 5c0 9 4 13 8 13s8-4 8-13M12 18v4M8 5v6M16 5v6",
            Self::Home => "M4 11 12 4l8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z",
            Self::Jobs => "M4 18 9 11l4 4 7-9M15 6h5v5",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Minus => "M5 12h14",
            Self::Data => {
                "M5 6c0-1.7 3.1-3 7-3s7 1.3 7 3-3.1 3-7 3-7-1.3-7-3zM5 6v12c0 1.7 3.1 3 7 3s7-1.3 7-3V6M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3"
            }
            Self::Model => "M12 3 4 7.5v9L12 21l8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
            Self::Settings => "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
            Self::Trash => "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
            Self::Download => "M12 4v11M7 11l5 5 5-5M5 20h14",
            Self::Check => "M5 13l4.5 4.5L19 7",
            Self::Alert => "M12 4 2.8 20h18.4zM12 10v4.5M12 17.2v.1",
            Self::Close => "M6 6l12 12M18 6 6 18",
            Self::Search => "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5",
            Self::Copy => "M9 9h10v11H9zM5 15V4h10",
            Self::Keyboard => "M3 7h18v11H3zM7 11h.1M11 11h.1M15 11h.1M8 14.5h8",
            Self::Upload => "M12 16V5M7 9l5-5 5 5M5 20h14",
            Self::Chat => "M4 5h16v11H10l-5 4v-4H4zM8 9h8M8 12h5",
            Self::Bell => "M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 21h4",
            Self::Left => "M15 5l-7 7 7 7",
            Self::Right => "M9 5l7 7-7 7",
            Self::Repeat => "M4 12a8 8 0 1 1 2.4 5.7M4 21v-5h5",
        }
    }
}

/// Draws an icon.
pub fn icon(which: Icon) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={which.path()} />
        </svg>
    }
}
