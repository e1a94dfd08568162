//! Words of the reading tasks.

/// A subject and the words that give it away.
pub(crate) struct Topic {
    pub(crate) label: &'static str,
    pub(crate) nouns: &'static [&'static str],
    pub(crate) verbs: &'static [&'static str],
    pub(crate) states: &'static [&'static str],
}

pub(crate) const TOPICS: [Topic; 8] = [
    Topic {
        label: "finance",
        nouns: &[
            "invoice",
            "bill",
            "charge",
            "payment",
            "fee",
            "tax",
            "price",
            "bank",
            "card",
            "cost",
            "amount",
            "discount",
            "bills",
            "fees",
            "charges",
            "statement",
        ],
        verbs: &["pay", "charge", "bill", "buy"],
        states: &["charged", "billed", "paid", "unpaid", "cheap"],
    },
    Topic {
        label: "transport",
        nouns: &[
            "parcel", "package", "courier", "driver", "depot", "street", "delivery", "tracking", "shipping",
            "truck", "road", "address", "parcels",
        ],
        verbs: &["deliver", "ship", "bring", "arrive", "drive", "move"],
        states: &["delivered", "shipped", "late", "lost", "stuck", "planned"],
    },
    Topic {
        label: "repair",
        nouns: &[
            "crack",
            "damage",
            "refund",
            "return",
            "replacement",
            "label",
            "exchange",
            "part",
            "fault",
            "hole",
            "parts",
        ],
        verbs: &[
            "return",
            "replace",
            "repair",
            "refund",
            "exchange",
            "break",
            "send back",
            "give back",
        ],
        states: &["broken", "damaged", "faulty", "missing", "cracked", "opened"],
    },
    Topic {
        label: "access",
        nouns: &[
            "password", "account", "login", "profile", "link", "user", "email", "site", "page", "reset",
            "accounts", "phone",
        ],
        verbs: &["log in", "sign in", "reset", "delete", "type", "forget"],
        states: &["locked", "blocked", "unknown", "expired", "locked out"],
    },
    Topic {
        label: "sky",
        nouns: &[
            "rain", "storm", "cloud", "wind", "snow", "sun", "thunder", "fog", "frost", "moon",
        ],
        verbs: &["rain", "snow", "shine", "freeze"],
        states: &["cloudy", "windy", "foggy", "frozen"],
    },
    Topic {
        label: "food",
        nouns: &[
            "bread", "soup", "cheese", "apple", "butter", "sugar", "dinner", "cake", "rice", "salt",
        ],
        verbs: &["cook", "bake", "eat", "taste"],
        states: &["sweet", "salty", "fried", "hungry"],
    },
    Topic {
        label: "animals",
        nouns: &[
            "dog", "horse", "cow", "sheep", "rabbit", "fox", "goat", "mouse", "wolf", "hen",
        ],
        verbs: &["bark", "hunt", "feed", "breed"],
        states: &["furry", "tame", "wild", "fed"],
    },
    Topic {
        label: "garden",
        nouns: &[
            "flower", "tree", "seed", "grass", "leaf", "rose", "hedge", "root", "branch", "weed",
        ],
        verbs: &["plant", "dig", "grow", "water"],
        states: &["green", "ripe", "planted", "blooming"],
    },
];

pub(crate) const NAMES: [&str; 40] = [
    "Adele", "Boris", "Clara", "Derek", "Edith", "Felix", "Gwen", "Harold", "Iris", "Jasper", "Karin", "Leo",
    "Mona", "Nils", "Olga", "Peter", "Quinn", "Rosa", "Simon", "Thea", "Ulla", "Vera", "Walter", "Xenia",
    "Yves", "Zara", "Albin", "Berta", "Cyril", "Dora", "Emil", "Flora", "Gustav", "Helga", "Igor", "Judith",
    "Klaus", "Lotte", "Mabel", "Norman",
];

pub(crate) const PLACES: [&str; 24] = [
    "Arden", "Brixley", "Corvin", "Dunmore", "Elsted", "Farrow", "Glenby", "Hexton", "Ilmar", "Jorvik",
    "Kelder", "Lunby", "Marsk", "Norvale", "Ostrey", "Pellham", "Quarry", "Rudby", "Selwick", "Tarn",
    "Upton", "Velby", "Wexcot", "Yarrow",
];

pub(crate) const THINGS: [&str; 30] = [
    "stone", "ladder", "bucket", "box", "rope", "candle", "spoon", "mirror", "basket", "coin", "bell",
    "wheel", "nail", "ball", "hat", "key", "cup", "chair", "bag", "lamp", "ribbon", "bottle", "plate",
    "button", "feather", "brush", "knife", "map", "ring", "pot",
];

pub(crate) const COLOURS: [&str; 10] = [
    "red", "blue", "yellow", "black", "white", "brown", "grey", "pink", "orange", "purple",
];

pub(crate) const COUNTS: [&str; 8] = ["two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// Labels without a meaning of their own, for rules that the request tells.
pub(crate) const LABELS: [&str; 24] = [
    "red", "blue", "north", "south", "left", "right", "up", "down", "yes", "no", "A", "B", "C", "one", "two",
    "gold", "iron", "alpha", "beta", "gamma", "kind", "hot", "cold", "open",
];
