//! How pages write what is read of them.

use std::sync::LazyLock;

use regex::Regex;

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        #[allow(clippy::expect_used)]
        pub(super) static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).expect("a pattern of this file"));
    };
}

pattern!(
    COMMAND,
    r"^\W*(curl)\b|^\W*(http)\s+(GET|POST|PUT|PATCH|DELETE)\s+https?://"
);
pattern!(
    REQUEST_LINE,
    r"\b(GET|POST|PUT|PATCH|DELETE)\s+(https?://[^\s'\x22<>]+|/[A-Za-z0-9_][^\s'\x22<>|]*)"
);
pattern!(METHOD_OPTION, r"(?:-X\s*|--request\s+)(GET|POST|PUT|PATCH|DELETE)\b");
pattern!(ADDRESS, r"https?://[^\s'\x22\\<>`]+");
pattern!(HEADER_OPTION, r#"(?:-H|--header)\s*['"]([A-Za-z-]+):\s*([^'"]*)['"]"#);
pattern!(
    DATA_OPTION,
    r#"(?:-d|--data(?:-raw|-urlencode|-binary)?)\s+(?:'([^']*)'|"([^"]*)"|([A-Za-z_]\S*))"#
);
pattern!(PAIR, r"(?:^|\s)([A-Za-z_][\w.\[\]-]*)=(\S*)");
pattern!(HEADER_LINE, r"^\s*([A-Z][A-Za-z]*(?:-[A-Za-z]+)*):\s+(\S.*)$");
pattern!(
    FORM_LINE,
    r"^\s*[A-Za-z_][\w.\[\]-]*=[^\s&]*(?:&+[A-Za-z_][\w.\[\]-]*=[^\s&]*)+\s*$"
);
pattern!(
    TABLE_HEAD,
    r"(?i)^\s*\|?\s*(?:name|parameter|scope)\s*[|\t]?\s*required\??\s*[|\t]?\s*(.*)$"
);
pattern!(
    TABLE_ROW,
    r"^\s*\|?\s*`?([A-Za-z_][\w.:\[\]-]*?)`?\s*[|\t]?\s*(Yes|No\b|No[^a-z]|No[A-Z/]|Required\b|Optional\b)(.*)$"
);
pattern!(LISTED, r#"^\s*[-•*]\s+(.*)$"#);
pattern!(
    NAMED,
    r#"^["`]?([a-z][a-z0-9]*(?:_[a-z0-9]+)*)["`]?(?:=[A-Z_]+|=[a-z_]+)?(?:\s+(?:and|&)\s+["`]?([a-z][a-z0-9]*(?:_[a-z0-9]+)*)["`]?)?\s*(?:[-:,.]\s*(.*))?$"#
);
pattern!(
    VALUE_IN_WORDS,
    r#"(?i)(?:(?:should be|must be)(?: set to)?|set to)\s+(?:['"`]([A-Za-z0-9_]+)['"`]|((?-i:[A-Z][A-Z0-9]+))\b)"#
);
pattern!(
    LIFETIME,
    r"(?i)\b(refresh|access)[ _-]tokens?\b[^.\n]*?\b(?:expires?|expiry|valid|validity|lasts?|lives?|life|lifetime)\b[^.\n]*?\b(half an?|\d[\d,]*|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty-four|twenty|thirty|forty-five|forty-eight|forty|fifty|sixty|ninety)[\s-]+(second|sec|minute|min|hour|hr|day|week|month|year)s?\b"
);
pattern!(
    SPAN,
    r"(?i)\b(?:refresh|access)[ _-]tokens?\b(?:[^.]|\.\S)*\b(?:\d[\d,]*|half an?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|sixty|ninety)[\s-]+(?:second|minute|hour|day|week|fortnight|month|quarter|year)s?\b|\b(?:\d[\d,]*|half an?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|sixty|ninety)[\s-]+(?:second|minute|hour|day|week|fortnight|month|quarter|year)s?\b(?:[^.]|\.\S)*\b(?:refresh|access)[ _-]tokens?\b"
);
pattern!(GRANT_VALUE, r"^(?:[a-z]{2,}(?:_[a-z]+)+|urn:[a-z0-9:_-]+)$");
pattern!(
    GRANT_WORDS,
    r"(?i)\b(client credentials|authorization code|password|refresh token|implicit|device code)\s+(?:grant|flow|type work-?flow)\b"
);
pattern!(
    GRANT_NAMES,
    r"\b(client_credentials|authorization_code|refresh_token|password|implicit)\b"
);
pattern!(
    AUTHENTICATION,
    r"\b(client_secret_basic|client_secret_post|client_secret_jwt|private_key_jwt|tls_client_auth)\b"
);
pattern!(
    ROTATION,
    r"(?i)refresh tokens? (?:are|is) rotated|new access and refresh token|always use the refresh token returned"
);
pattern!(
    STATUS,
    r"(?i)\bHTTP/[\d.]+ (\d{3})\b|\b(\d{3}) HTTP status code\b|\bHTTP status code (\d{3})\b|\bstatus(?: code)?(?: of)?:? (\d{3})\b|\b(?:answers?|answered|returns?|returned|responds?)(?: with)?(?: an?)? (\d{3})\b"
);
pattern!(
    NEEDED_BELOW,
    r"(?i)\b(?:are|is) (?:all )?(?:needed|required|mandatory)\b[^.]*:\s*$|\b(?:must|need to|needs to|have to|has to) (?:include|provide|send|pass|contain|carry)\b[^.]*:\s*$"
);
pattern!(JSON_LINE, r#"^"[A-Za-z_][\w.:-]*"\s*:"#);
pattern!(PLACEHOLDER, r"^\{[A-Z_]+\}");
pattern!(JSON_KEY, r#""([A-Za-z_][\w.:-]*)"\s*:"#);
pattern!(JSON_SCOPE, r#""scope"\s*:\s*"([^"]+)"#);
pattern!(
    MARKED,
    r#"^(["`]?[A-Za-z_][\w.:\[\]-]*["`]?)[\s:,(\[-]*(?:(?i:string|integer|number|boolean|array|object|uri|url)[\s,]*)?\b((?i:not required|required|mandatory|optional))\b[)\].,:;\s]*(?:-\s*)?(.*)$"#
);
pattern!(
    SCOPE_ITEM,
    r#"^["`]?([A-Za-z_][\w.:-]*?)["`]?\s*(?:(?::|-|,)\s*(.*))?$"#
);
