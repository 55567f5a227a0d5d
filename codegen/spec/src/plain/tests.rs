use super::*;

/// What becomes of an operation, what is lost of it, and why it cannot be generated.
fn of(path: &str, method: &str, operation: &str) -> (String, Vec<String>, Vec<String>) {
    let document = Json::parse(&format!(
        r##"{{"paths":{{"{path}":{{"{method}":{operation}}}}},"components":{{"schemas":{{
        "One":{{"type":"object","required":["a"],"properties":{{"a":{{"type":"string"}},"b":{{"type":"string"}}}}}},
        "Other":{{"type":"object","required":["a"],"properties":{{"a":{{"type":"string"}},"b":{{"type":"integer"}},"c":{{"type":"string"}}}}}}}}}}}}"##
    ))
    .unwrap();
    let Plain { root, losses, faults } = plain(&document);
    let mut found = root
        .pointer(&join(&join("/paths", path), method))
        .map(ToString::to_string);
    // What was put together is shown where it is used.
    let schemas = root
        .pointer("/components/schemas")
        .map(Json::members)
        .unwrap_or_default();
    for (name, schema) in schemas.iter().filter(|(name, _)| name.starts_with("GetA")) {
        let reference = format!(r##"{{"$ref":"#/components/schemas/{name}"}}"##);
        found = found.map(|found| found.replace(&reference, &schema.to_string()));
    }
    (
        found.unwrap(),
        losses.into_iter().map(|loss| loss.what).collect(),
        faults.into_iter().map(|fault| fault.wrong).collect(),
    )
}

const ANSWERED: &str = r#""responses":{"200":{"description":""}}"#;

/// The parameters of an operation at `/a/{id}`.
fn parameters(list: &str) -> (String, Vec<String>, Vec<String>) {
    let id = r#"{"name":"id","in":"path","required":true,"schema":{"type":"string"}}"#;
    let (found, losses, faults) = of(
        "/a/{id}",
        "get",
        &format!(r#"{{"parameters":[{id},{list}],{ANSWERED}}}"#),
    );
    let found = found
        .replace(&format!(r#"{{"parameters":[{id}"#), "")
        .replace(&format!("],{ANSWERED}}}"), "");
    (found.trim_start_matches(',').to_owned(), losses, faults)
}

#[test]
fn parameters_are_texts_and_lists_of_texts() {
    let query = |rest: &str| format!(r#"{{"name":"q","in":"query",{rest}}}"#);
    for (list, plain, lost) in [
        // What the library writes itself.
        (r#"{"name":"authorization","in":"header","required":true,"schema":{"type":"string"}}"#.to_owned(), String::new(), ""),
        (query(r#""schema":{"type":"string"}"#), query(r#""schema":{"type":"string"}"#), ""),
        (query(r#""style":"form","explode":true,"schema":{"type":"array","items":{"type":"string"}}"#), query(r#""schema":{"type":"array","items":{"type":"string"}}"#), ""),
        (
            query(r#""explode":false,"schema":{"type":"array","items":{"type":"string"}}"#),
            query(r#""schema":{"type":"string"},"description":"A text: several with commas between them.""#),
            "that parameter `q` is a list: it is a text, several with commas between them",
        ),
        (
            query(r#""style":"tabDelimited","explode":false,"schema":{"type":"array","items":{"type":"string"}}"#),
            query(r#""schema":{"type":"string"},"description":"A text: several with tabs between them.""#),
            "that parameter `q` is a list: it is a text, several with tabs between them",
        ),
        (
            r#"{"name":"h","in":"header","style":"pipeDelimited","explode":false,"schema":{"type":"array","items":{"type":"string"}}}"#.to_owned(),
            r#"{"name":"h","in":"header","schema":{"type":"string"},"description":"A text: several with `|` between them."}"#.to_owned(),
            "that parameter `h` is a list: it is a text, several with `|` between them",
        ),
        (
            query(r#""style":"deepObject","schema":{"type":"object","properties":{"from":{"type":"string"},"to":{"type":"string"}}}"#),
            r#"{"name":"q[from]","in":"query","schema":{"type":"string"}},{"name":"q[to]","in":"query","schema":{"type":"string"}}"#.to_owned(),
            "",
        ),
        (
            query(r##""schema":{"$ref":"#/components/schemas/One"}"##),
            r#"{"name":"a","in":"query","schema":{"type":"string"}},{"name":"b","in":"query","schema":{"type":"string"}}"#.to_owned(),
            "",
        ),
        (
            query(r#""content":{"application/json":{"schema":{"type":"object"}}}"#),
            query(r#""schema":{"type":"string"}"#),
            "what parameter `q` is made of: it is the text of `application/json`",
        ),
        (
            r#"{"name":"since","in":"header","schema":{"type":"string","format":"date-time"}}"#.to_owned(),
            r#"{"name":"since","in":"header","schema":{"type":"string","x-lenient":"date-time"}}"#.to_owned(),
            "",
        ),
        (r#"{"name":"c","in":"cookie","schema":{"type":"string"}}"#.to_owned(), String::new(), "cookie parameter `c`"),
        (r#"{"name":"other","in":"path","schema":{"type":"string"}}"#.to_owned(), String::new(), "path parameter `other`, which is not in the path"),
    ] {
        let (found, losses, faults) = parameters(&list);
        let mut sorted = [found, plain].map(|text| {
            let mut letters: Vec<char> = text.chars().collect();
            letters.sort_unstable();
            letters
        });
        let [found, plain] = &mut sorted;
        assert_eq!(found, plain, "{list}");
        assert_eq!(losses.join("; "), lost, "{list}");
        assert_eq!(faults, <[String; 0]>::default(), "{list}");
    }
    let (_, _, faults) = parameters(r#"{"name":"c","in":"cookie","required":true,"schema":{"type":"string"}}"#);
    assert_eq!(faults, ["it needs cookie parameter `c`"]);
    let (_, _, faults) = of(
        "/a/{id}/{n}",
        "get",
        &format!(r#"{{"parameters":[{{"name":"id","in":"path","schema":{{}}}}],{ANSWERED}}}"#),
    );
    assert_eq!(faults, ["the path has `{n}`, and no parameter says what it is"]);
    // One that cannot be sent is there all the same.
    let matrix = r#"{"name":"n","in":"path","style":"matrix","schema":{"type":"string"}}"#;
    let (_, _, faults) = of("/a/{n}", "get", &format!(r#"{{"parameters":[{matrix}],{ANSWERED}}}"#));
    assert_eq!(
        faults,
        ["path parameter `n` is written in a style that is not supported"]
    );
}

#[test]
fn of_several_media_types_one_is_sent() {
    let sent = |content: &str| {
        let (found, losses, faults) = of(
            "/a",
            "post",
            &format!(r#"{{"requestBody":{{"required":true,"content":{{{content}}}}},{ANSWERED}}}"#),
        );
        let found = found
            .replace(r#"{"requestBody":{"required":true,"content":{"#, "")
            .replace(&format!("}}}},{ANSWERED}}}"), "");
        (found, losses.join("; "), faults.join("; "))
    };
    let schema = r#"{"schema":{"type":"object"}}"#;
    let lists = r#"{"allOf":[{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}}},{"properties":{"b":{"items":{}}}}]}"#;
    let in_one_text = "field `b` of its form is a list that is written into one text (`explode: false`), which is not supported: if the \
                       bank takes it as a text, write `type: string` in its place into the overlay";
    for (content, plain, lost, wrong) in [
        (
            format!(r#""application/json":{schema}"#),
            format!(r#""application/json":{schema}"#),
            "",
            "",
        ),
        (
            format!(r#""text/xml":{schema},"application/vnd.a+json":{schema}"#),
            format!(r#""application/vnd.a+json":{schema}"#),
            "that its body can also be sent as text/xml",
            "",
        ),
        (
            format!(r#""*/*":{schema}"#),
            format!(r#""application/json":{schema}"#),
            "",
            "",
        ),
        (
            r#""application/json":{}"#.to_owned(),
            r#""application/json":{"schema":{}}"#.to_owned(),
            "",
            "",
        ),
        // A list is sent as a field for each item, unless the document says otherwise.
        (
            format!(r#""application/x-www-form-urlencoded":{{"schema":{lists}}}"#),
            format!(r#""application/x-www-form-urlencoded":{{"schema":{lists},"encoding":{{"a":{{"x-form":"repeated"}},"b":{{"x-form":"repeated"}}}}"#),
            "",
            "",
        ),
        (
            format!(r#""application/x-www-form-urlencoded":{{"schema":{lists},"encoding":{{"a":{{"style":"form","explode":true}},"b":{{"style":"deepObject"}}}}}}"#),
            format!(r#""application/x-www-form-urlencoded":{{"schema":{lists},"encoding":{{"a":{{"x-form":"repeated"}},"b":{{"x-form":"brackets"}}}}"#),
            "",
            "",
        ),
        (
            format!(r#""application/x-www-form-urlencoded":{{"schema":{lists},"encoding":{{"b":{{"explode":false}}}}}}"#),
            String::new(),
            "",
            in_one_text,
        ),
        (
            format!(r#""application/x-www-form-urlencoded":{{"schema":{lists},"encoding":{{"b":{{"style":"pipeDelimited"}}}}}}"#),
            String::new(),
            "",
            in_one_text,
        ),
        (
            r#""application/x-www-form-urlencoded":{"schema":{"properties":{"m":{"type":"object"}}}}"#.to_owned(),
            String::new(),
            "",
            "field `m` of its form is a list or a map, and the document does not say how it is written",
        ),
        (
            format!(r#""multipart/form-data":{schema}"#),
            format!(r#""multipart/form-data":{schema}"#),
            "",
            "the parts of its body are not described",
        ),
        (
            format!(r#""multipart/mixed":{schema},"multipart/related":{schema}"#),
            format!(r#""multipart/mixed":{schema}"#),
            "",
            "its body is sent as multipart/mixed or multipart/related, which is not supported",
        ),
        (
            r##""multipart/form-data":{"schema":{"type":"object","required":["f"],"properties":{"f":{"type":"string","format":"binary","description":"F.","maxLength":9},"all":{"type":"array","items":{"type":"string","format":"binary"}},"any":{},"note":{"$ref":"#/components/schemas/One"}}},"encoding":{"f":{"contentType":"image/*, image/png"},"any":{"contentType":"*/*"},"note":{"headers":{"X-A":{}}}}}"##.to_owned(),
            r##""multipart/form-data":{"schema":{"type":"object","properties":{"f":{"type":"string","format":"binary","description":"F."},"all":{"type":"array","items":{"type":"string","format":"binary"}},"any":{"type":"string","format":"binary"},"note":{"$ref":"#/components/schemas/One"}},"required":["f"]},"encoding":{"f":{"contentType":"image/png"}}}"##.to_owned(),
            "the headers of part `note` of its body",
            "",
        ),
        (
            r#""application/octet-stream":{"schema":{"type":"string","format":"binary","maxLength":9},"example":"a"}"#.to_owned(),
            r#""application/octet-stream":{"schema":{"type":"string","format":"binary"},"example":"a"}"#.to_owned(),
            "",
            "",
        ),
        (
            r#""application/jwt":{"schema":{"type":"object","properties":{"a":{}}},"example":{"a":1}}"#.to_owned(),
            r#""application/jwt":{"schema":{"type":"string","format":"binary"}}"#.to_owned(),
            "what its body is made of: it is sent as the bytes that the call is given",
            "",
        ),
        (
            r#""*/*":{"schema":{"type":"string","format":"binary"}}"#.to_owned(),
            r#""application/octet-stream":{"schema":{"type":"string","format":"binary"}}"#.to_owned(),
            "",
            "",
        ),
        (
            r#""image/*":{}"#.to_owned(),
            r#""application/octet-stream":{"schema":{"type":"string","format":"binary"}}"#.to_owned(),
            "",
            "",
        ),
        (
            r#""application/jwt":{},"multipart/form-data":{"schema":{"properties":{"a":{"type":"string"}}}}"#.to_owned(),
            r#""multipart/form-data":{"schema":{"type":"object","properties":{"a":{"type":"string"}}}"#.to_owned(),
            "that its body can also be sent as application/jwt",
            "",
        ),
    ] {
        let (found, losses, faults) = sent(&content);
        assert!(found.starts_with(&plain), "{content}: {found}");
        assert_eq!((losses.as_str(), faults.as_str()), (lost, wrong), "{content}");
    }
}

#[test]
fn all_successes_are_one_type_and_all_errors_another() {
    let answered = |replies: &str| {
        let (found, losses, faults) = of("/a", "get", &format!(r#"{{"responses":{{{replies}}}}}"#));
        (
            found
                .replace(r#","description":"""#, "")
                .replace(r#""description":"","#, "")
                .replace(r#""description":"""#, ""),
            losses.join("; "),
            faults.join("; "),
        )
    };
    let json = |name: &str| {
        format!(r##"{{"content":{{"application/json":{{"schema":{{"$ref":"#/components/schemas/{name}"}}}}}}}}"##)
    };
    let (one, other) = (json("One"), json("Other"));
    let together = r#"{"content":{"application/json":{"schema":{"type":"object","properties":{"a":{"type":"string"},"b":{},"c":{"type":"string"}},"required":["a"]}}}}"#;
    let inline = |schema: &str| format!(r#"{{"content":{{"application/json":{{"schema":{schema}}}}}}}"#);
    let made = inline(
        r##"{"allOf":[{"$ref":"#/components/schemas/One"},{"properties":{"d":{"type":"number"}},"required":["d"]}]}"##,
    );
    let bare = inline(r#"{"properties":{"d":{"type":"number"}},"required":["d"]}"#);
    let made_together = r#"{"content":{"application/json":{"schema":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},"d":{"type":"number"}},"required":["d"]}}}}"#;
    let paid = inline(
        r#"{"type":"object","properties":{"id":{},"at":{},"sum":{"type":"number"}},"required":["id","at","sum"]}"#,
    );
    let pending = inline(r#"{"type":"object","properties":{"id":{}},"required":["id"]}"#);
    let paid_or_pending =
        inline(r#"{"type":"object","properties":{"id":{},"at":{},"sum":{"type":"number"}},"required":["id"]}"#);
    let open =
        inline(r#"{"type":"object","properties":{"at":{"type":"string"}},"additionalProperties":{"type":"number"}}"#);
    let state = inline(r#"{"type":"object","properties":{"state":{"type":"string"}},"additionalProperties":false}"#);
    let open_together = inline(
        r#"{"type":"object","properties":{"at":{"type":"string"},"state":{"type":"string"}},"additionalProperties":{}}"#,
    );
    let list = inline(r#"{"type":"array","items":{}}"#);
    let any = r#"{"content":{"application/json":{"schema":{}}}}"#;
    let all = |members: &[(&str, &str)]| {
        let members: Vec<String> = members
            .iter()
            .map(|(status, reply)| format!("\"{status}\":{reply}"))
            .collect();
        format!(r#"{{"responses":{{{}}}}}"#, members.join(","))
    };
    for (replies, plain, lost) in [
        (format!(r#""200":{one}"#), all(&[("200", &one)]), ""),
        (format!(r#""default":{one}"#), all(&[("2XX", &one)]), ""),
        (
            format!(r#""200":{one},"default":{other}"#),
            all(&[("200", &one), ("4XX", &other), ("5XX", &other)]),
            "",
        ),
        (
            format!(r#""200":{one},"201":{one}"#),
            all(&[("200", &one), ("201", &one)]),
            "",
        ),
        (
            format!(r#""200":{one},"202":{other}"#),
            all(&[("200", together), ("202", together)]),
            "the type of `b`, of which its successes say different ones: any JSON is read; \
             which of its successes (`200`, `202`) has which fields: all are read as one type",
        ),
        // Made of several, and without a type.
        (
            format!(r#""200":{made},"201":{bare}"#),
            all(&[("200", made_together), ("201", made_together)]),
            "which of its successes (`200`, `201`) has which fields: all are read as one type, in which `a` may be missing",
        ),
        // More than what is described, whatever it is.
        (
            format!(r#""200":{open},"202":{state}"#),
            all(&[("200", &open_together), ("202", &open_together)]),
            "which of its successes (`200`, `202`) has which fields: all are read as one type",
        ),
        // An amount that one of them always has.
        (
            format!(r#""200":{paid},"202":{pending}"#),
            all(&[("200", &paid_or_pending), ("202", &paid_or_pending)]),
            "which of its successes (`200`, `202`) has which fields: all are read as one type, in which the amount `sum`, `at` may be missing",
        ),
        (
            format!(r#""200":{one},"201":{list}"#),
            all(&[("200", any), ("201", any)]),
            "what its successes are made of, which is no object in each: they are read as any JSON; \
             which of its successes (`200`, `201`) has which fields: all are read as one type",
        ),
        (
            format!(r#""200":{one},"204":{{}}"#),
            all(&[("200", &one)]),
            "reply `204`, which differs from the others: it is told as an error",
        ),
        (
            format!(r#""204":{{}},"400":{one},"404":{{}},"500":{other}"#),
            all(&[("204", "{}"), ("4XX", together), ("5XX", together)]),
            "which of its errors has which fields: all are read as one type; \
             the type of `b`, of which its errors say different ones: any JSON is read",
        ),
        (
            r#""200":{"content":{"application/pdf":{}}}"#.to_owned(),
            all(&[(
                "200",
                r#"{"content":{"application/pdf":{"schema":{"type":"string","format":"binary"}}}}"#,
            )]),
            "",
        ),
    ] {
        let (found, losses, faults) = answered(&replies);
        assert_eq!(
            (found.as_str(), losses.as_str(), faults.as_str()),
            (plain.as_str(), lost, ""),
            "{replies}"
        );
    }
    let (_, _, wrong) = answered(r#""302":{}"#);
    assert_eq!(
        wrong,
        "it answers with a redirect alone; a call follows none, so it is for a browser to open"
    );
    let (_, _, wrong) = answered(r#""400":{}"#);
    assert_eq!(wrong, "it says of no success what it answers");
}

#[test]
fn the_type_of_an_amount_is_one_whatever_words_each_success_says_it_in() {
    let json = "{}";
    let number = |words: &str| format!(r#"{{"type":"number"{words}}}"#);
    for (one, other, together) in [
        (
            number(r#","description":"one""#),
            number(r#","description":"two""#),
            number(r#","description":"one""#).as_str(),
        ),
        (number(""), number(r#","title":"two""#), number("").as_str()),
        (
            number(r#","example":1"#),
            number(r#","example":2.50"#),
            number(r#","example":2.50"#).as_str(),
        ),
        (
            r#"{"type":"string","maxLength":10}"#.to_owned(),
            r#"{"type":"string","maxLength":20}"#.to_owned(),
            r#"{"type":"string"}"#,
        ),
        (
            r#"{"type":"object","properties":{"description":{"type":"number","title":"a"}}}"#.to_owned(),
            r#"{"type":"object","properties":{"description":{"type":"number","title":"b"}}}"#.to_owned(),
            r#"{"type":"object","properties":{"description":{"type":"number","title":"a"}}}"#,
        ),
        (
            r#"{"type":"array","items":{"type":"number","maximum":1}}"#.to_owned(),
            r#"{"type":"array","items":{"type":"number","maximum":2}}"#.to_owned(),
            json,
        ),
        (
            r#"{"type":"object","properties":{"description":{"type":"number"}}}"#.to_owned(),
            r#"{"type":"object","properties":{"description":{"type":"string"}}}"#.to_owned(),
            json,
        ),
        (number(""), r#"{"type":"string"}"#.to_owned(), json),
        (number(""), number(r#","nullable":true"#), json),
    ] {
        let reply = |schema: &str| {
            format!(
                r#"{{"content":{{"application/json":{{"schema":{{"type":"object","properties":{{"amount":{schema}}}}}}}}}}}"#
            )
        };
        let replies = format!(r#"{{"responses":{{"200":{},"202":{}}}}}"#, reply(&one), reply(&other));
        let (found, losses, _) = of("/a", "get", &replies);
        let is_told = losses.iter().any(|told| told.contains("the type of `amount`"));
        assert!(
            found.contains(&format!(r#""properties":{{"amount":{together}}}"#)),
            "{one} {other}: {found}"
        );
        assert_eq!(is_told, together == json, "{one} {other}");
    }
}

#[test]
fn every_host_has_an_environment() {
    let document = Json::parse(
        r#"{"servers":[{"url":"https://api.bank.example/v1/"},{"url":"https://api.sandbox.bank.example/v1"},
        {"url":"https://{region}.bank.example","variables":{"region":{"default":"eu"}},"description":"Test"},
        {"url":"/v1"},{"url":"http://bank.example"}],
        "paths":{"/a":{"get":{"servers":[{"url":"https://elsewhere.example"}],"responses":{"200":{"description":""}}}}}}"#,
    )
    .unwrap();
    let Plain { root, losses, faults } = plain(&document);
    assert_eq!(
        root.get("servers").map(ToString::to_string).unwrap(),
        r#"[{"url":"https://api.sandbox.bank.example/v1","x-environment":"sandbox"},{"url":"https://eu.bank.example","description":"Test","x-environment":"test"},{"url":"https://api.bank.example/v1","x-environment":"production"}]"#
    );
    let lost: Vec<&str> = losses.iter().map(|loss| loss.what.as_str()).collect();
    assert_eq!(
        lost,
        [
            "server `/v1`, which is no whole address: the overlay has to say which",
            "server `http://bank.example`, which is not https, and is left out"
        ]
    );
    assert_eq!(
        faults[0].wrong,
        "it is at https://elsewhere.example, and not where the others are"
    );
}

#[test]
fn each_value_of_a_variable_of_an_address_is_an_environment() {
    for (servers, expected, lost) in [
        (
            r#"{"url":"https://{env}.bank.example/{v}","variables":{"env":{"default":"api","enum":["api","sandbox"]},"v":{"default":"v1"}}}"#,
            "sandbox=https://sandbox.bank.example/v1 api=https://api.bank.example/v1",
            "",
        ),
        (
            r#"{"url":"https://{env}.bank.example","x-environment":"live","variables":{"env":{"default":"api","enum":["api","sandbox"]}}}"#,
            "live=https://api.bank.example",
            "",
        ),
        (
            r#"{"url":"https://bank.example:{port}/{base}","variables":{"port":{"enum":["443","8443"],"default":"8443"},"base":{"enum":["","v2"],"default":"v2"}}}"#,
            "port_8443_v2=https://bank.example:8443/v2 port_8443=https://bank.example:8443 port_443_v2=https://bank.example:443/v2 \
             port_443=https://bank.example:443",
            "",
        ),
        // Of two ways of one host, the one that is of use.
        (
            r#"{"url":"{scheme}://bank.example","variables":{"scheme":{"default":"http","enum":["http","https"]}}}"#,
            "production=https://bank.example",
            "server `http://bank.example`, which is not https, and is left out",
        ),
        (
            r#"{"url":"https://{tenant}.bank.example","variables":{"tenant":{}}},{"url":"https://{env}.bank.example","variables":{"env":{"enum":["uat"]}}}"#,
            "uat=https://uat.bank.example",
            "server `https://{tenant}.bank.example`, which has a variable without `default` and `enum`: the overlay has to say which",
        ),
        (
            r#"{"url":"https://a.bank.example","x-environment":"eu"},{"url":"https://{r}.bank.example","variables":{"r":{"default":"eu","enum":["eu","us"]}}}"#,
            "eu=https://a.bank.example eu_2=https://eu.bank.example us=https://us.bank.example",
            "",
        ),
    ] {
        let document = format!(r#"{{"servers":[{servers}],"paths":{{"/a":{{"get":{{{ANSWERED}}}}}}}}}"#);
        let found = plain(&Json::parse(&document).unwrap());
        let text = |server: &Json, name: &str| server.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let all = found.root.get("servers").map(Json::items).unwrap().iter();
        let all: Vec<String> = all
            .map(|server| format!("{}={}", text(server, "x-environment"), text(server, "url")))
            .collect();
        let losses: Vec<&str> = found.losses.iter().map(|loss| loss.what.as_str()).collect();
        assert_eq!(
            (all.join(" ").as_str(), losses.join("; ").as_str()),
            (expected, lost),
            "{servers}"
        );
    }
}

#[test]
fn what_no_client_sends_is_left_out() {
    for (method, told) in [
        ("get", Vec::new()),
        ("head", Vec::new()),
        ("options", vec!["it is called with `OPTIONS`, which no client sends"]),
        ("trace", vec!["it is called with `TRACE`, which no client sends"]),
    ] {
        let (_, _, faults) = of("/a", method, &format!("{{{ANSWERED}}}"));
        assert_eq!(faults, told, "{method}");
    }
}
