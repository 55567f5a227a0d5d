//! The fields of a JSON object, read one by one from the bytes: one that cannot be read costs no other.
//!
//! A refresh spends the old refresh token, so the reply to it is the only place where the new one stands. A JSON
//! reader that refuses the whole reply because of a field that nobody needs would lose it. This one finds where each
//! value begins and ends, and reads only those that are asked for. It does not mind a key that stands there twice, bytes
//! that are not UTF-8, half of a surrogate pair, a line break in a string, any depth of nesting, or what follows the object.

use zeroize::Zeroizing;

/// How many places of a body that cannot be read are gone over.
const MENDS: usize = 32;

/// The fields of an object, each value as it stands there.
#[derive(Clone, Default)]
pub(super) struct ReplyFields<'a> {
    fields: Vec<Field<'a>>,
    whole: bool,
    /// How many of them stand before the first place that cannot be read.
    sure: usize,
    /// Whether there is a last brace, though not every place before it can be read.
    closed: bool,
    /// What stands behind the object.
    rest: &'a [u8],
}

#[derive(Clone)]
struct Field<'a> {
    name: Zeroizing<String>,
    value: Value<'a>,
    /// Of which object it is: the later ones come first.
    object: usize,
}

impl<'a> ReplyFields<'a> {
    /// None: the body is no object.
    pub fn of(body: &'a [u8]) -> Option<Self> {
        let mut rest = Rest(body);
        rest.skip(|byte| byte.is_ascii_whitespace());
        rest.take(b'{')?;
        let mut fields = Vec::new();
        // What stands before the first place that cannot be read is right in any case; what stands after it, where the
        // object has an end: otherwise it may stand in the middle of something that was cut.
        let (mut right, mut mends) = (None, 0..MENDS);
        let mut closed = false;
        let whole = loop {
            rest.skip(|byte| byte.is_ascii_whitespace() || byte == b',');
            if rest.take(b'}').is_some() {
                break true;
            }
            let before = rest.0;
            match rest.field() {
                Some((name, value)) => fields.push(Field {
                    name: text_of(name).0,
                    value,
                    object: 0,
                }),
                None => {
                    if right.is_none() {
                        right = Some(fields.len());
                        closed = rest.0.trim_ascii_end().ends_with(b"}");
                    }
                    rest.0 = before;
                    if mends.next().is_none() {
                        break false;
                    }
                    rest.skip_to_a_quote();
                }
            }
        };
        let sure = right.unwrap_or(fields.len());
        if !whole {
            fields.truncate(sure);
        }
        let rest = rest.0;
        Some(Self {
            fields,
            whole,
            sure,
            closed,
            rest,
        })
    }

    /// No field at all.
    pub fn whole() -> Self {
        Self {
            whole: true,
            ..Self::default()
        }
    }

    /// The objects of a list; none where the list has no end.
    pub fn of_list(body: &'a [u8]) -> Vec<Self> {
        let body = body.trim_ascii_end();
        let items = Value(body.trim_ascii_start()).items().filter(|_| body.ends_with(b"]"));
        let items = items.unwrap_or_default();
        items.into_iter().filter_map(Value::fields).collect()
    }

    /// The objects in the values, and in lists that are values, of the names that are taken.
    pub fn inner(&self, is_taken: impl Fn(&str, &Self) -> bool) -> Vec<Self> {
        let found = self.fields.iter().flat_map(|Field { name, value, .. }| {
            let listed = value.items().unwrap_or_default();
            let listed = listed.into_iter().filter_map(Value::fields);
            let objects = value.fields().into_iter().chain(listed);
            objects.map(move |fields| (name.as_str(), fields))
        });
        let taken = found.filter(|(name, fields)| is_taken(name, fields));
        taken.map(|(_, fields)| fields).collect()
    }

    /// These fields and those of an object in them, which come first.
    pub fn and(mut self, inner: Self) -> Self {
        let above = self
            .fields
            .iter()
            .map(|field| field.object + 1)
            .max()
            .unwrap_or_default();
        self.fields.extend(inner.fields.into_iter().map(|field| Field {
            object: field.object + above,
            ..field
        }));
        self.whole &= inner.whole;
        self
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether the object was read to its end. What was read before is right in any case.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether the object is all there is.
    pub fn is_alone(&self) -> bool {
        self.whole && is_an_end(self.rest)
    }

    /// Whether nothing but the object seems to be there, though its end cannot be told from the places in it that cannot
    /// be read.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether every place of the object can be read.
    pub fn is_sure(&self) -> bool {
        self.whole && self.sure == self.fields.len()
    }

    /// The fields before the first place that cannot be read: those after it may be the words of a text.
    pub fn sure(mut self) -> Self {
        self.fields.truncate(self.sure);
        self
    }

    /// Every name with its value.
    pub fn named(&self) -> impl Iterator<Item = (&str, Value<'a>)> {
        self.fields.iter().map(|field| (field.name.as_str(), field.value))
    }

    /// Every value of this name, the last one first: of a key that stands there twice, most readers take the last
    /// (RFC 8259 section 4), and the one before is better than none.
    pub fn all(&self, name: &str) -> impl Iterator<Item = Value<'a>> {
        let named = self.fields.iter().rev().filter(move |field| *field.name == name);
        named.map(|field| field.value)
    }

    /// Every value of this name in any spelling. Those of an object that come first are those in the spelling that is
    /// asked for: `{"refresh_token": null, "refreshToken": ..}` has both.
    pub fn spelled(&self, name: &str) -> impl Iterator<Item = Value<'a>> {
        let mut named: Vec<&Field<'a>> = self.fields.iter().filter(|field| is_alike(&field.name, name)).collect();
        named.sort_by_key(|field| (field.object, *field.name == name));
        named.into_iter().rev().map(|field| field.value)
    }

    /// The last value of this name that can be read.
    pub fn last<T>(&self, name: &str, read: impl FnMut(Value<'a>) -> Option<T>) -> Option<T> {
        self.all(name).find_map(read)
    }

    /// The same, of this name in any spelling.
    pub fn last_spelled<T>(&self, name: &str, read: impl FnMut(Value<'a>) -> Option<T>) -> Option<T> {
        self.spelled(name).find_map(read)
    }
}

/// A value as it stands in the reply.
#[derive(Clone, Copy)]
pub(super) struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// The text of a string; none: it is no string, or not every character of it can be read.
    pub fn text(self) -> Option<Zeroizing<String>> {
        let (text, exact) = text_of(self.content()?);
        exact.then_some(text)
    }

    /// The text of a string, with a replacement character for what cannot be read.
    pub fn text_with_gaps(self) -> Option<Zeroizing<String>> {
        Some(text_of(self.content()?).0)
    }

    /// A number, `true` or `false`, as it is written.
    pub fn literal(self) -> Option<&'a str> {
        let text = std::str::from_utf8(self.0).ok()?;
        let literal = matches!(text, "true" | "false") || text.parse::<serde_json::Number>().is_ok();
        literal.then_some(text)
    }

    /// A number, as it is written, however long it is and with whatever zeros before it.
    pub fn number(self) -> Option<&'a str> {
        let is_number = self.0.iter().any(u8::is_ascii_digit)
            && self
                .0
                .iter()
                .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
        std::str::from_utf8(self.0).ok().filter(|_| is_number)
    }

    /// The fields of an object.
    pub fn fields(self) -> Option<ReplyFields<'a>> {
        ReplyFields::of(self.0)
    }

    /// Everything, as it is written.
    pub fn of(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// What is no string, no object and no list, as it is written.
    pub fn bare(self) -> Option<&'a str> {
        let is_bare = !self.0.first().is_some_and(|first| b"\"{[".contains(first));
        std::str::from_utf8(self.0).ok().filter(|_| is_bare)
    }

    pub fn is_null(self) -> bool {
        self.0 == b"null"
    }

    /// The values of a list.
    pub fn items(self) -> Option<Vec<Value<'a>>> {
        let mut rest = Rest(self.0);
        rest.take(b'[')?;
        let mut items = Vec::new();
        loop {
            rest.skip(|byte| byte.is_ascii_whitespace() || byte == b',');
            match rest.value() {
                Some(item) => items.push(item),
                None => return Some(items),
            }
        }
    }

    /// What stands between the quotes of a string.
    fn content(self) -> Option<&'a [u8]> {
        self.0.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }
}

/// What is read from the first object in the middle of something else that has it: behind the notice of a script, a prefix
/// against other readers, or an object that says nothing of it. `read` gets what stands before the object, and the body
/// from there on.
///
/// A page may quote anything: nothing but an end may follow the object, or its own end is cut off.
pub(super) fn cut_out<'a, T>(body: &'a [u8], read: impl Fn(&'a [u8], &'a [u8]) -> Option<T>) -> Option<T> {
    let mut at = 0;
    loop {
        at += body[at..].iter().position(|byte| *byte == b'{')?;
        let (before, here) = body.split_at(at);
        // A style sheet or a script has no name between quotes there.
        if !here[1..].trim_ascii_start().starts_with(b"\"") {
            at += 1;
            continue;
        }
        let object = ReplyFields::of(here)?;
        if let Some(found) = read(before, here) {
            let is_last = !object.whole || is_an_end(object.rest);
            return Some(found).filter(|_| is_last && !ends_in_a_script(before));
        }
        if !object.whole {
            // What stands in it may be an older pair.
            return None;
        }
        at = body.len() - object.rest.len();
    }
}

/// Whether what follows an object only closes what was opened before it, a quote too, or is a comment.
fn is_an_end(mut rest: &[u8]) -> bool {
    loop {
        let mut behind = Rest(rest);
        behind.skip(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control() || b";)]'`".contains(&byte));
        rest = behind.0;
        if let Some(behind) = rest.strip_prefix(b"*/") {
            rest = behind;
        } else if rest.starts_with(b"//") {
            let end = rest.iter().position(|byte| b"\r\n".contains(byte));
            rest = &rest[end.unwrap_or(rest.len())..];
        } else if let Some(comment) = rest.strip_prefix(b"<!--") {
            match comment.windows(3).position(|end| end == b"-->") {
                Some(end) => rest = &comment[end + 3..],
                None => return true,
            }
        } else {
            return rest.is_empty();
        }
    }
}

/// Whether a page stands there up to the middle of a script.
fn ends_in_a_script(before: &[u8]) -> bool {
    let last = |tag: &[u8]| {
        before
            .windows(tag.len())
            .rposition(|part| part.eq_ignore_ascii_case(tag))
    };
    last(b"<script") > last(b"</script")
}

/// Whether two names differ in their spelling only: `access_token`, `accessToken`, `AccessToken`.
pub(super) fn is_alike(one: &str, other: &str) -> bool {
    let spelled = |c: &u8| c.is_ascii_alphanumeric() || !c.is_ascii();
    let one = one.bytes().filter(spelled).map(|c| c.to_ascii_lowercase());
    one.eq(other.bytes().filter(spelled).map(|c| c.to_ascii_lowercase()))
}

/// The words of a name, in lower case: `old_tokens`, `oldTokens`, `OLD-TOKENS`.
pub(super) fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        let is_start = c.is_uppercase() && !words.last().is_some_and(|word| word.ends_with(char::is_uppercase));
        if is_start || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words.iter().map(|word| word.to_lowercase()).collect()
}

/// The text of a JSON string that is all there is.
pub(super) fn as_text(body: &[u8]) -> Option<Zeroizing<String>> {
    let mut rest = Rest(body);
    let text = rest.string()?.text()?;
    rest.0.is_empty().then_some(text)
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let skipped = self.0.iter().take_while(|byte| skipped(**byte)).count();
        self.0 = &self.0[skipped..];
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// Goes on at the next quote, or at the end.
    fn skip_to_a_quote(&mut self) {
        let next = self.0.iter().skip(1).position(|byte| *byte == b'"');
        self.0 = next.map_or(&[], |next| &self.0[next + 1..]);
    }

    /// A name and its value, both to their ends.
    fn field(&mut self) -> Option<(&'a [u8], Value<'a>)> {
        let name = self.string().and_then(Value::content)?;
        self.skip(|byte| byte.is_ascii_whitespace());
        self.take(b':')?;
        self.skip(|byte| byte.is_ascii_whitespace());
        if self.0.first().is_some_and(|byte| b",}".contains(byte)) {
            // A template that had nothing to put here.
            return Some((name, self.cut(0)));
        }
        Some((name, self.value()?))
    }

    /// The value that begins here; none: it has no end, so there is no telling what it would have been.
    fn value(&mut self) -> Option<Value<'a>> {
        match self.0.first()? {
            b'"' => self.string(),
            b'{' | b'[' => self.nested(),
            _ => {
                let end = |byte: &u8| byte.is_ascii_whitespace() || b",]}".contains(byte);
                let length = self.0.iter().position(end).filter(|length| *length > 0)?;
                Some(self.cut(length))
            }
        }
    }

    fn string(&mut self) -> Option<Value<'a>> {
        let mut bytes = self.0.strip_prefix(b"\"")?.iter().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => return Some(self.cut(at + 2)),
                b'\\' => {
                    bytes.next();
                }
                _ => {}
            }
        }
        None
    }

    /// An object or a list, with what is in it: counted, because a call for each level would need a limit.
    fn nested(&mut self) -> Option<Value<'a>> {
        let whole = self.0;
        let mut inner = Rest(whole);
        let mut depth = 0_usize;
        loop {
            match inner.0.first()? {
                b'"' => {
                    inner.string()?;
                }
                bracket => {
                    match bracket {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                    inner.0 = &inner.0[1..];
                    if depth == 0 {
                        return Some(self.cut(whole.len() - inner.0.len()));
                    }
                }
            }
        }
    }

    fn cut(&mut self, length: usize) -> Value<'a> {
        let (value, rest) = self.0.split_at(length);
        self.0 = rest;
        Value(value)
    }
}

/// The characters that stand for this content of a string, and whether each could be read.
fn text_of(content: &[u8]) -> (Zeroizing<String>, bool) {
    // No escape is shorter than what it stands for: the buffer never grows, so it leaves no copy of a secret behind.
    let mut text = Zeroizing::new(Vec::with_capacity(content.len()));
    let mut exact = true;
    let mut rest = content;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            text.push(*byte);
            continue;
        }
        let (character, after) = unescaped(rest);
        rest = after;
        exact &= character.is_some();
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    match std::str::from_utf8(&text) {
        Ok(_) => {
            let text = String::from_utf8(std::mem::take(&mut *text)).unwrap_or_default();
            (Zeroizing::new(text), exact)
        }
        Err(_) => (Zeroizing::new(String::from_utf8_lossy(&text).into_owned()), false),
    }
}

/// The character of the escape that stands behind a backslash; none: it stands for no character.
fn unescaped(rest: &[u8]) -> (Option<char>, &[u8]) {
    let Some((kind, after)) = rest.split_first() else {
        return (None, rest);
    };
    let character = match kind {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'"' | b'\\' | b'/' => char::from(*kind),
        b'u' => return code_point(after),
        _ => return (None, after),
    };
    (Some(character), after)
}

/// The character of `\uXXXX`, or of two of them (RFC 8259 section 7).
fn code_point(rest: &[u8]) -> (Option<char>, &[u8]) {
    let Some((first, after)) = unit(rest) else {
        return (None, rest);
    };
    if let Some(character) = char::from_u32(first) {
        return (Some(character), after);
    }
    let second = after.strip_prefix(b"\\u").and_then(unit);
    let pair = second.and_then(|(second, after)| {
        let high = first.checked_sub(0xd800).filter(|high| *high < 0x400)?;
        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        Some((char::from_u32(0x1_0000 + (high << 10) + low), after))
    });
    pair.unwrap_or((None, after))
}

fn unit(rest: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, after) = rest.split_at_checked(4)?;
    let value = digits
        .iter()
        .try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))?;
    Some((value, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &[u8], name: &str) -> Option<String> {
        let fields = ReplyFields::of(body).unwrap();
        fields.last(name, |value| value.text()).map(|text| text.to_string())
    }

    #[test]
    fn what_can_be_read_is_read_whatever_stands_beside_it() {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        let mismatched = format!("{}{}", "{".repeat(20_000), "]".repeat(20_000));
        let beside: [&[u8]; 23] = [
            b"",
            b"nul",
            b"'single'",
            b"\"M\xfcller\"",
            b"\"caf\\ud83d\"",
            b"\"\\ude00\\ud83d\"",
            b"\"\\u12\"",
            b"\"\\x\"",
            b"\"two\nlines\"",
            b"\"a \\\" quote, and }\"",
            b"\"\\\\\"",
            b"NaN",
            b"-Infinity",
            b"0123",
            b"1e400",
            b"undefined",
            b"null",
            b"{\"access_token\":\"not this\"}",
            b"[\"}\",{\"a\":\"]\"}]",
            deep.as_bytes(),
            mismatched.as_bytes(),
            b"\"\xff\xfe\"",
            b"\"\"",
        ];
        for value in beside {
            let shown = String::from_utf8_lossy(&value[..value.len().min(40)]).into_owned();
            for body in [
                [b"{\"x\":", value, b",\"access_token\":\"a\",\"refresh_token\":\"r\"}"].concat(),
                [
                    b"{\"access_token\":\"a\",\"x\" : ",
                    value,
                    b" , \"refresh_token\" :\t\"r\" } \n",
                ]
                .concat(),
                [
                    b" {\"access_token\":\"a\",\"refresh_token\":\"r\",\"x\":",
                    value,
                    b"} <!-- made by -->",
                ]
                .concat(),
            ] {
                assert_eq!(text(&body, "access_token").as_deref(), Some("a"), "{shown}");
                assert_eq!(text(&body, "refresh_token").as_deref(), Some("r"), "{shown}");
                assert!(ReplyFields::of(&body).unwrap().is_whole(), "{shown}");
            }
        }
    }

    #[test]
    fn a_key_of_any_kind_costs_no_other() {
        let body = b"{\"na\xefve\":1,\"\\ud83d\":2,\"\":3,\"access\\u005ftoken\":\"a\",\"x\":4,,}";
        assert_eq!(text(body, "access_token").as_deref(), Some("a"));
    }

    #[test]
    fn strings_are_read_as_rfc_8259_has_them() {
        for (written, read) in [
            (r#""""#, Some("")),
            (r#""a\"b\\c\/d""#, Some("a\"b\\c/d")),
            (r#""\b\f\n\r\t""#, Some("\u{8}\u{c}\n\r\t")),
            (r#""\u0041\u00e9\u20AC""#, Some("Aé€")),
            (r#""\ud83d\ude00""#, Some("😀")),
            ("\"😀é\"", Some("😀é")),
            (r#""\ud83d""#, None),
            (r#""\ud83dx""#, None),
            (r#""\ud83d\u0041""#, None),
            // Next to the halves of a pair, on both sides.
            (r#""\ud83d\ue000""#, None),
            (r#""\udc00\udc00""#, None),
            (r#""\udbff\udfff""#, Some("\u{10ffff}")),
            (r#""\ud800\udc00""#, Some("\u{10000}")),
            (r#""\ude00\ud83d""#, None),
            (r#""\u00g0""#, None),
            (r#""\q""#, None),
            ("1", None),
            ("null", None),
            ("[\"a\"]", None),
        ] {
            let body = format!(r#"{{"x":{written}}}"#);
            assert_eq!(text(body.as_bytes(), "x").as_deref(), read, "{written}");
        }
        let with_gap = |body: &[u8]| {
            let fields = ReplyFields::of(body).unwrap();
            fields.last("x", Value::text_with_gaps).unwrap().to_string()
        };
        assert_eq!(with_gap(br#"{"x":"caf\ud83d!"}"#), "caf\u{fffd}!");
        assert_eq!(with_gap(b"{\"x\":\"M\xfcller\"}"), "M\u{fffd}ller");
        assert_eq!(with_gap(br#"{"x":"\ud83d\ue000"}"#), "\u{fffd}\u{e000}");
        assert_eq!(with_gap(br#"{"x":"\udc00\udc00"}"#), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn of_a_key_that_stands_there_twice_the_last_that_can_be_read_is_taken() {
        assert_eq!(text(br#"{"x":"1","x":"2"}"#, "x").as_deref(), Some("2"));
        assert_eq!(
            text(br#"{"x":"1","x":"2","x":null,"x":["3"]}"#, "x").as_deref(),
            Some("2")
        );
    }

    #[test]
    fn of_a_body_that_is_cut_the_fields_before_the_cut_are_read_and_no_half_of_one() {
        let body = br#"{"refresh_token":"rr","n":12,"o":{"a":"b"},"l":["c"],"access_token":"aa"}"#;
        for end in 0..body.len() {
            let Some(fields) = ReplyFields::of(&body[..end]) else {
                assert_eq!(end, 0);
                continue;
            };
            assert!(!fields.is_whole(), "{end}");
            let names = ["refresh_token", "n", "o", "l", "access_token"];
            let read = names.map(|name| fields.all(name).next().is_some());
            let ends = [21, 29, 42, 52, body.len() - 1].map(|at| at <= end);
            // A number needs what follows it to be whole.
            assert_eq!(read, ends, "{}", String::from_utf8_lossy(&body[..end]));
        }
    }

    #[test]
    fn one_place_that_cannot_be_read_costs_no_field_after_it() {
        for odd in [
            r#""name":"Joe "J" Doe""#,
            r#""at":2026-11-27 10:00:00"#,
            "a:1",
            r#""x":]"#,
            "// made by hand\n\"y\":1",
            r#""x" "y""#,
            "'x':'y'",
            "// a remark of more characters than there are places that are gone over\n\"y\":1",
        ] {
            for body in [
                format!(r#"{{{odd},"refresh_token":"r"}}"#),
                format!(r#"{{"a":1,{odd},"refresh_token":"r"}} "#),
            ] {
                assert_eq!(text(body.as_bytes(), "refresh_token").as_deref(), Some("r"), "{body}");
                assert!(ReplyFields::of(body.as_bytes()).unwrap().is_whole(), "{body}");
                // Of what is cut only what came before that place is right.
                let cut = &body.trim_end()[..body.trim_end().len() - 1];
                assert_eq!(text(cut.as_bytes(), "refresh_token"), None, "{cut}");
            }
        }
        // Not without end.
        let many = format!(r#"{{{}"refresh_token":"r"}}"#, "\"x\" ".repeat(100_000));
        assert_eq!(text(many.as_bytes(), "refresh_token"), None);
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        for body in [
            "",
            " ",
            "[]",
            "null",
            "\"access_token\"",
            "<html>{\"error\":\"invalid_grant\"}",
            "access_token=a",
        ] {
            assert!(ReplyFields::of(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn lists_and_literals_are_read_as_they_are_written() {
        let fields =
            ReplyFields::of(br#"{"l":["a",{"b":"c"},7 ,true],"n":12345678901234567890123,"t":true,"z":nul}"#).unwrap();
        let items = fields.last("l", Value::items).unwrap();
        let texts: Vec<_> = items.iter().filter_map(|item| item.text()).collect();
        assert_eq!((items.len(), texts.len(), texts[0].as_str()), (4, 1, "a"));
        assert_eq!(fields.last("n", Value::literal), Some("12345678901234567890123"));
        assert_eq!(fields.last("t", Value::literal), Some("true"));
        assert_eq!(fields.last("z", Value::literal), None);
        assert!(fields.last("l", Value::literal).is_none() && fields.last("n", Value::items).is_none());
    }
}
