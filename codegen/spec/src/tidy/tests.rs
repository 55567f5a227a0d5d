use super::*;

/// What becomes of the schema `A` beside others, what is lost of all, and what is wrong.
fn of(schemas: &str) -> (String, Vec<String>, Vec<String>) {
    let document = Json::parse(&format!(r#"{{"components":{{"schemas":{schemas}}}}}"#)).unwrap();
    let Tidied { root, losses, faults } = tidied(&document);
    let tidy = root.pointer("/components/schemas/A").map(ToString::to_string).unwrap();
    let losses = losses
        .iter()
        .map(|loss| format!("{}: {}", loss.pointer, loss.what))
        .collect();
    let faults = faults
        .iter()
        .map(|fault| format!("{}: {fault}", fault.pointer))
        .collect();
    (tidy, losses, faults)
}

/// The same of a schema alone, of which nothing is lost.
fn alone(schema: &str) -> String {
    let (tidy, losses, faults) = of(&format!(r#"{{"A":{schema}}}"#));
    assert_eq!((losses.as_slice(), faults.as_slice()), (&[][..], &[][..]), "{schema}");
    tidy
}

#[test]
fn a_missing_type_is_what_the_other_keywords_say() {
    for (schema, tidy) in [
        (r#"{}"#, r#"{}"#),
        (r#"{"description":"Any JSON."}"#, r#"{"description":"Any JSON."}"#),
        (
            r#"{"properties":{"a":{"minLength":1}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string","minLength":1}}}"#,
        ),
        (
            r#"{"additionalProperties":{"type":"string"}}"#,
            r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
        ),
        (
            r#"{"items":{"format":"date"}}"#,
            r#"{"type":"array","items":{"type":"string","format":"date"}}"#,
        ),
        (r#"{"type":"array"}"#, r#"{"type":"array","items":{}}"#),
        (r#"{"enum":["a","b"]}"#, r#"{"type":"string","enum":["a","b"]}"#),
        (r#"{"pattern":"^[A-Z]+$"}"#, r#"{"type":"string","pattern":"^[A-Z]+$"}"#),
        (
            r#"{"maximum":1.50}"#,
            r#"{"type":"number","maximum":1.50,"format":"decimal"}"#,
        ),
        (r#"{"format":"int32"}"#, r#"{"type":"integer","format":"int32"}"#),
    ] {
        assert_eq!(alone(schema), tidy, "{schema}");
    }
}

#[test]
fn a_number_is_exact_and_so_is_an_integer_beyond_64_bits() {
    for (schema, tidy) in [
        (r#"{"type":"number"}"#, r#"{"type":"number","format":"decimal"}"#),
        (
            r#"{"type":"number","format":"double"}"#,
            r#"{"type":"number","format":"decimal"}"#,
        ),
        (r#"{"type":"integer"}"#, r#"{"type":"integer"}"#),
        (
            r#"{"type":"integer","format":"int64","maximum":9223372036854775807}"#,
            r#"{"type":"integer","format":"int64","maximum":9223372036854775807}"#,
        ),
        (
            r#"{"type":"integer","maximum":9223372036854775808}"#,
            r#"{"type":"number","maximum":9223372036854775808,"format":"decimal"}"#,
        ),
        (
            r#"{"type":"integer","format":"uint64"}"#,
            r#"{"type":"number","format":"decimal"}"#,
        ),
        // An element has no field that could say how it is read: it has a name.
        (
            r##"{"type":"array","items":{"type":"number"}}"##,
            r##"{"type":"array","items":{"$ref":"#/components/schemas/ExactNumber"}}"##,
        ),
        (
            r##"{"additionalProperties":{"type":"number","nullable":true}}"##,
            r##"{"type":"object","additionalProperties":{"allOf":[{"$ref":"#/components/schemas/ExactNumber"}],"nullable":true}}"##,
        ),
        (
            r##"{"type":"array","items":{"type":"string","x-lenient":"string"}}"##,
            r##"{"type":"array","items":{"$ref":"#/components/schemas/LenientText"}}"##,
        ),
        (
            r##"{"additionalProperties":{"type":"boolean","nullable":true,"x-lenient":"boolean"}}"##,
            r##"{"type":"object","additionalProperties":{"allOf":[{"$ref":"#/components/schemas/LenientBoolean"}],"nullable":true}}"##,
        ),
        (
            r##"{"type":"array","items":{"type":"string","format":"date","x-lenient":"date-time"}}"##,
            r##"{"type":"array","items":{"type":"string","format":"date","x-lenient":"date-time"}}"##,
        ),
    ] {
        assert_eq!(alone(schema), tidy, "{schema}");
    }
}

#[test]
fn an_integer_beyond_a_decimal_is_read_digit_for_digit_and_told() {
    let document = |reply: &str, example: &str| {
        Json::parse(&format!(
            r#"{{"paths":{{"/a":{{"get":{{"parameters":[{{"name":"n","in":"query","schema":{{"type":"integer","format":"uint128"}}}}],
            "responses":{{"200":{{"content":{{"application/json":{{"schema":{reply},"example":{example}}}}}}}}}}}}}}}}}"#
        ))
        .unwrap()
    };
    const FORTY: &str = "1234567890123456789012345678901234567890";
    let of = |property: &str| format!(r#"{{"type":"object","properties":{{"n":{property}}}}}"#);
    let text = r#"{"type":"string","x-lenient":"string"}"#;
    let exact = r#"{"type":"number","format":"decimal"}"#;
    for (schema, value, tidy, is_told) in [
        (of(r#"{"type":"integer"}"#), "1", of(r#"{"type":"integer"}"#), false),
        (of(r#"{"type":"integer"}"#), "18446744073709551615", of(exact), false),
        (of(r#"{"type":"integer"}"#), FORTY, of(text), true),
        (of(r#"{"type":"integer","format":"int128"}"#), "1", of(text), true),
        (
            of(r#"{"type":"array","items":{"type":"integer"}}"#),
            "[1,18446744073709551615]",
            of(r##"{"type":"array","items":{"$ref":"#/components/schemas/ExactNumber"}}"##),
            false,
        ),
        (
            of(r#"{"type":"array","items":{"type":"integer"}}"#),
            &format!("[18446744073709551615,{FORTY}]"),
            of(r#"{"type":"array","items":{}}"#),
            true,
        ),
    ] {
        let tidied = tidied(&document(&schema, &format!(r#"{{"n":{value}}}"#)));
        let at = |pointer: &str| tidied.root.pointer(pointer).map(ToString::to_string);
        let place = "/paths/~1a/get/responses/200/content/application~1json/schema";
        assert_eq!(at(place), Some(tidy), "{schema} {value}");
        let parameter = "/paths/~1a/get/parameters/0/schema";
        assert_eq!(at(parameter).as_deref(), Some(r#"{"type":"string"}"#));
        let (of_parameter, of_reply): (Vec<_>, Vec<_>) =
            tidied.losses.iter().partition(|loss| loss.pointer == parameter);
        assert_eq!(
            (of_parameter.len(), of_reply.len()),
            (1, usize::from(is_told)),
            "{schema} {value}"
        );
        assert!(tidied.losses.iter().all(|loss| loss.what.ends_with("digit for digit")));
        assert_eq!(crate::readable::examples(&tidied.root).read(), 1, "{schema} {value}");
    }
}

#[test]
fn an_integer_is_as_wide_in_each_of_the_replies_that_are_read_as_one_type() {
    let reply = |schema: &str, value: &str| {
        format!(r#"{{"content":{{"application/json":{{"schema":{schema},"example":{{"n":{value}}}}}}}}}"#)
    };
    let same = r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#;
    let other = r#"{"type":"object","properties":{"n":{"type":"integer"},"m":{"type":"integer"}}}"#;
    let decimal = r#"{"type":"number","format":"decimal"}"#;
    let text = r#"{"type":"string","x-lenient":"string"}"#;
    for (schema, value, expected) in [
        (same, "18446744073709551616", decimal),
        (same, "1234567890123456789012345678901234567890", text),
        (other, "18446744073709551616", r#"{"type":"integer"}"#),
    ] {
        let (one, wide) = (reply(same, "1"), reply(schema, value));
        for replies in [
            format!(r#""200":{one},"202":{wide}"#),
            format!(r#""202":{wide},"200":{one}"#),
        ] {
            let document = format!(r#"{{"paths":{{"/a":{{"get":{{"responses":{{{replies}}}}}}}}}}}"#);
            let tidied = tidied(&Json::parse(&document).unwrap());
            let at = "/paths/~1a/get/responses/200/content/application~1json/schema/properties/n";
            let found = tidied.root.pointer(at).map(ToString::to_string);
            assert_eq!(found.as_deref(), Some(expected), "{replies}");
        }
    }
}

#[test]
fn a_type_that_contradicts_its_parts_is_json_and_told() {
    for (schema, kept, told) in [
        (
            r#"{"type":"string","description":"A sum.","properties":{"a":{"type":"string"}}}"#,
            r#"{"description":"A sum."}"#,
            "what it is: `type: string` and `properties` contradict each other, so it is kept as JSON",
        ),
        (
            r#"{"type":"integer","items":{"type":"string"}}"#,
            "{}",
            "what it is: `type: integer` and `items` contradict each other, so it is kept as JSON",
        ),
        (
            r#"{"type":"array","properties":{"a":{}},"items":{"type":"string"}}"#,
            "{}",
            "what it is: `type: array` and `properties` contradict each other, so it is kept as JSON",
        ),
        (
            r#"{"type":"object","items":{"type":"string"}}"#,
            "{}",
            "what it is: `type: object` and `items` contradict each other, so it is kept as JSON",
        ),
        (
            r#"{"type":"string","properties":{}}"#,
            r#"{"type":"string","properties":{}}"#,
            "",
        ),
        (
            r#"{"type":"object","properties":{"a":{}},"items":{"type":"string"}}"#,
            r#"{"type":"object","properties":{"a":{}},"items":{"type":"string"}}"#,
            "",
        ),
    ] {
        let (tidy, losses, faults) = of(&format!(r#"{{"A":{schema}}}"#));
        assert_eq!(tidy, kept, "{schema}");
        let told: Vec<String> = (!told.is_empty())
            .then(|| format!("/components/schemas/A: {told}"))
            .into_iter()
            .collect();
        assert_eq!(losses, told, "{schema}");
        assert!(faults.is_empty(), "{schema}");
    }
}

#[test]
fn an_element_has_no_name_that_the_document_has_given_to_something_else() {
    let list = r#""A":{"type":"array","items":{"type":"string","x-lenient":"string"}}"#;
    for (others, name) in [
        (r#""LenientText":{"type":"integer"}"#, "LenientText2"),
        (
            r#""LenientText":{"type":"string","x-lenient":"string","description":"A text, whatever form it came in."}"#,
            "LenientText",
        ),
    ] {
        let (tidy, ..) = of(&format!("{{{list},{others}}}"));
        let expected = format!(r##"{{"type":"array","items":{{"$ref":"#/components/schemas/{name}"}}}}"##);
        assert_eq!(tidy, expected, "{others}");
    }
}

#[test]
fn whether_a_value_may_be_null_is_said_where_it_is_used() {
    let schemas = r##"{"B":{"type":"string","nullable":true},"K":{"type":"string","enum":["a",null]},"C":{"$ref":"#/components/schemas/B"},"A":{"type":"object","nullable":true,
        "properties":{"b":{"$ref":"#/components/schemas/B"},"c":{"$ref":"#/components/schemas/C"},
        "d":{"allOf":[{"$ref":"#/components/schemas/B"}],"description":"A letter."},"e":{"type":"string","nullable":true},"k":{"$ref":"#/components/schemas/K"}}}}"##;
    let (tidy, losses, faults) = of(schemas);
    let or_null = |name: &str| format!(r##"{{"allOf":[{{"$ref":"#/components/schemas/{name}"}}],"nullable":true}}"##);
    let expected = format!(
        r##"{{"type":"object","properties":{{"b":{},"c":{},"d":{{"description":"A letter.","allOf":[{{"$ref":"#/components/schemas/B"}}],"nullable":true}},"e":{{"type":"string","nullable":true}},"k":{}}}}}"##,
        or_null("B"),
        or_null("C"),
        or_null("K")
    );
    assert_eq!((tidy, losses.len(), faults.len()), (expected, 0, 0));
}

#[test]
fn all_of_is_the_one_schema_that_its_members_describe_together() {
    let base = r#""Base":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"kind":{"type":"string"}},"description":"A base."}"#;
    for (schema, tidy) in [
        (
            r##"{"allOf":[{"$ref":"#/components/schemas/Base"},{"required":["more"],"properties":{"more":{"type":"integer"}}}]}"##,
            r##"{"type":"object","required":["id","more"],"properties":{"id":{"type":"string"},"kind":{"type":"string"},"more":{"type":"integer"}},"description":"A base."}"##,
        ),
        (
            r##"{"description":"Mine.","allOf":[{"$ref":"#/components/schemas/Base"}],"properties":{"kind":{"enum":["x"]}}}"##,
            r##"{"description":"Mine.","properties":{"kind":{"enum":["x"],"type":"string"},"id":{"type":"string"}},"type":"object","required":["id"]}"##,
        ),
        // Only another name for it.
        (
            r##"{"description":"Mine.","allOf":[{"$ref":"#/components/schemas/Base"}]}"##,
            r##"{"description":"Mine.","allOf":[{"$ref":"#/components/schemas/Base"}]}"##,
        ),
        (
            r##"{"allOf":[{"type":"string","maxLength":3},{"enum":["a","b"]},{"enum":["b","c"]}]}"##,
            r##"{"type":"string","maxLength":3,"enum":["b"]}"##,
        ),
    ] {
        let (found, losses, faults) = of(&format!("{{{base},\"A\":{schema}}}"));
        assert_eq!((found.as_str(), losses.len(), faults.len()), (tidy, 0, 0), "{schema}");
    }
    for (schema, wrong) in [
        (
            r##"{"allOf":[{"type":"string"},{"type":"object"}]}"##,
            "members of its `allOf` contradict each other: one is of type `string`, another of type `object`",
        ),
        (
            r##"{"allOf":[{"enum":["a"]},{"enum":["b"]}]}"##,
            "members of its `allOf` contradict each other: no value is in both of their `enum`",
        ),
        (
            r##"{"allOf":[{"$ref":"#/components/schemas/A"},{"type":"object"}]}"##,
            "it is made of `A`, which is made of it",
        ),
        (
            r##"{"allOf":[{"$ref":"#/components/schemas/Lost"},{"type":"object"}]}"##,
            "it is made of `Lost`, which is not there",
        ),
    ] {
        let (_, _, faults) = of(&format!("{{{base},\"A\":{schema}}}"));
        assert_eq!(faults, [format!("/components/schemas/A: {wrong}")], "{schema}");
    }
}

#[test]
fn a_base_that_leads_to_its_kinds_is_a_part_of_each_without_them() {
    let (tidy, _, faults) = of(
        r##"{"Base":{"type":"object","properties":{"kind":{"type":"string"}},"discriminator":{"propertyName":"kind"},
        "oneOf":[{"$ref":"#/components/schemas/A"},{"$ref":"#/components/schemas/Other"}]},
        "Other":{"allOf":[{"$ref":"#/components/schemas/Base"},{"properties":{"b":{"type":"string"}}}]},
        "A":{"allOf":[{"$ref":"#/components/schemas/Base"},{"properties":{"a":{"type":"string"}}}]}}"##,
    );
    assert_eq!(
        tidy,
        r#"{"type":"object","properties":{"kind":{"type":"string"},"a":{"type":"string"}}}"#
    );
    assert_eq!(faults, <[String; 0]>::default());
}

#[test]
fn a_union_is_what_its_members_have_in_common_or_json() {
    let kinds = "its kinds: it is kept as JSON, which can be read as each of them";
    for (schema, tidy, lost) in [
        (
            r#"{"oneOf":[{"type":"string","format":"date"}]}"#,
            r#"{"type":"string","format":"date"}"#,
            "",
        ),
        (
            r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#,
            r#"{"type":"string"}"#,
            "",
        ),
        (
            r#"{"oneOf":[{"enum":["a"]},{"enum":["b"]}]}"#,
            r#"{"type":"string","enum":["a","b"]}"#,
            "",
        ),
        (
            r#"{"anyOf":[{"type":"string"},{"enum":["b"]}]}"#,
            r#"{"type":"string"}"#,
            "",
        ),
        (
            r#"{"oneOf":[{"type":"integer"},{"type":"number"}]}"#,
            r#"{"type":"number","format":"decimal"}"#,
            "",
        ),
        (
            r#"{"type":"object","properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"#,
            r#"{"type":"object","properties":{"a":{},"b":{}}}"#,
            "which of its fields go together",
        ),
        (
            r#"{"description":"One of two.","oneOf":[{"type":"string"},{"type":"integer"}]}"#,
            r#"{"description":"One of two."}"#,
            kinds,
        ),
        (r#"{"oneOf":[{"type":"object"},{"type":"array"}]}"#, "{}", kinds),
    ] {
        let (found, losses, faults) = of(&format!("{{\"A\":{schema}}}"));
        assert_eq!((found.as_str(), faults.len()), (tidy, 0), "{schema}");
        let lost: Vec<String> = [lost]
            .iter()
            .filter(|lost| !lost.is_empty())
            .map(|lost| format!("/components/schemas/A: {lost}"))
            .collect();
        assert_eq!(losses, lost, "{schema}");
    }
}

#[test]
fn what_a_server_sets_is_not_asked_of_a_client_and_what_is_only_sent_is_not_waited_for() {
    let document = Json::parse(
        r##"{"paths":{"/a":{"post":{
            "requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Sent"}}}},
            "responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Received"}}}}}}}},
        "components":{"schemas":{
            "Sent":{"required":["id","secret","both"],"properties":{"id":{"type":"string","readOnly":true},"secret":{"type":"string","writeOnly":true},"both":{"$ref":"#/components/schemas/Both"}}},
            "Received":{"required":["id","secret","both"],"properties":{"id":{"type":"string","readOnly":true},"secret":{"type":"string","writeOnly":true},"both":{"$ref":"#/components/schemas/Both"}}},
            "Both":{"required":["id","secret","name"],"properties":{"id":{"type":"string","readOnly":true},"secret":{"type":"string","writeOnly":true},"name":{"type":"string"}}}}}}"##,
    )
    .unwrap();
    let tidy = tidied(&document);
    let required = |name: &str| {
        let schema = format!("/components/schemas/{name}/required");
        tidy.root.pointer(&schema).map(ToString::to_string).unwrap_or_default()
    };
    assert_eq!(required("Sent"), r#"["secret","both"]"#);
    assert_eq!(required("Received"), r#"["id","both"]"#);
    assert_eq!(required("Both"), r#"["name"]"#);
}

#[test]
fn a_field_that_must_be_there_and_is_not_described_is_any_json() {
    assert_eq!(
        alone(r#"{"required":["a"],"properties":{}}"#),
        r#"{"type":"object","required":["a"],"properties":{"a":{}}}"#
    );
    assert_eq!(
        alone(r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}"#),
        r#"{"type":"object","properties":{"a":{"type":"string"}}}"#
    );
    assert_eq!(
        alone(r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"integer"}}"#),
        r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":true}"#
    );
}

#[test]
fn values_of_an_enum_that_have_no_name_are_read_as_what_is_not_known() {
    let (tidy, losses, _) = of(r#"{"A":{"enum":["a","a",null,"a b","a-b",""]}}"#);
    assert_eq!(tidy, r#"{"type":"string","enum":["a","a b"]}"#);
    assert_eq!(
        losses,
        ["/components/schemas/A: values of the `enum` whose names would be the same: they are read as `Unknown`"]
    );
    let (tidy, losses, _) = of(r#"{"A":{"type":"integer","enum":[1,2]}}"#);
    assert_eq!(tidy, r#"{"type":"integer"}"#);
    assert_eq!(losses, ["/components/schemas/A: `enum` of values that are no strings"]);
}

#[test]
fn a_union_whose_kinds_a_field_tells_apart_is_one_of_kinds() {
    let kinds = r##""Card":{"type":"object","properties":{"kind":{"type":"string","enum":["card","chip"]},"pan":{"type":"string"}}},
        "Bank":{"type":"object","properties":{"kind":{"type":"string","enum":["bank"]},"iban":{"type":"string"}}},
        "Plain":{"type":"object","properties":{"kind":{"type":"string"}}}"##;
    let members = r##""oneOf":[{"$ref":"#/components/schemas/Card"},{"$ref":"#/components/schemas/Bank"}]"##;
    let of_kinds = |list: &[(&str, &str)]| {
        let list: Vec<String> = list
            .iter()
            .map(|(tag, name)| format!(r##""{tag}":{{"$ref":"#/components/schemas/{name}"}}"##))
            .collect();
        format!(
            r#"{{"type":"object","x-tag":"kind","properties":{{{}}}}}"#,
            list.join(",")
        )
    };
    for (schema, tidy) in [
        // Values that are different in each.
        (
            format!("{{{members}}}"),
            of_kinds(&[("card", "Card"), ("chip", "Card"), ("bank", "Bank")]),
        ),
        (
            format!(r#"{{{members},"discriminator":{{"propertyName":"kind"}}}}"#),
            of_kinds(&[("Card", "Card"), ("Bank", "Bank")]),
        ),
        (
            format!(
                r##"{{{members},"discriminator":{{"propertyName":"kind","mapping":{{"c":"#/components/schemas/Card","b":"Bank"}}}}}}"##
            ),
            of_kinds(&[("c", "Card"), ("b", "Bank")]),
        ),
        // One of them says nothing of its kind.
        (
            r##"{"oneOf":[{"$ref":"#/components/schemas/Card"},{"$ref":"#/components/schemas/Plain"}]}"##.to_owned(),
            "{}".to_owned(),
        ),
    ] {
        let (found, _, faults) = of(&format!("{{{kinds},\"A\":{schema}}}"));
        assert_eq!((found, faults.len()), (tidy, 0), "{schema}");
    }
}

#[test]
fn a_parameter_that_is_an_object_in_each_of_its_kinds_is_left_out_where_it_may_be() {
    let means = r##"{"$ref":"#/components/schemas/Means"}"##;
    let list = format!(r#"{{"type":"array","items":{means}}}"#);
    let all = r##"{"allOf":[{"$ref":"#/components/schemas/Card"},{"properties":{"b":{"type":"string"}}}]}"##;
    for (more, schema, is_kept) in [
        (r#""in":"query""#, means, false),
        (r#""in":"query""#, list.as_str(), false),
        (r#""in":"query""#, all, false),
        (r#""in":"header""#, means, false),
        (r#""in":"query","required":true"#, means, true),
        (
            r#""in":"query""#,
            r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
            true,
        ),
        (r#""in":"query""#, r#"{"type":"array","items":{"type":"string"}}"#, true),
    ] {
        let kind = |name: &str| {
            format!(
                r#""{name}":{{"type":"object","required":["kind"],"properties":{{"kind":{{"type":"string","enum":["{name}"]}}}}}}"#
            )
        };
        let document = Json::parse(&format!(
            r##"{{"paths":{{"/a":{{"get":{{"parameters":[{{"name":"n",{more},"schema":{schema}}},{{"name":"m","in":"query","schema":{{"type":"string"}}}}]}}}}}},
            "components":{{"schemas":{{{},{},"Means":{{"oneOf":[{{"$ref":"#/components/schemas/Card"}},{{"$ref":"#/components/schemas/Coin"}}],
            "discriminator":{{"propertyName":"kind"}}}}}}}}}}"##,
            kind("Card"),
            kind("Coin")
        ))
        .unwrap();
        let tidied = tidied(&document);
        let parameters = tidied.root.pointer("/paths/~1a/get/parameters").map(Json::items);
        assert_eq!(
            parameters.map(<[Json]>::len),
            Some(1 + usize::from(is_kept)),
            "{more} {schema}"
        );
        let told = "which is an object or has objects in it";
        let is_told = tidied.losses.iter().any(|loss| loss.what.contains(told));
        assert_eq!(is_told, !is_kept, "{more} {schema}");
    }
}

#[test]
fn a_parameter_in_a_path_or_a_header_that_any_json_would_do_for_is_a_text() {
    let any = r##"{"$ref":"#/components/schemas/Any"}"##;
    let wide = r##"{"$ref":"#/components/schemas/Wide"}"##;
    let mixed = r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#;
    let text = r#"{"type":"string"}"#;
    let number = r#"{"type":"integer"}"#;
    for (place, schema, kept) in [
        ("path", any, text),
        ("header", any, text),
        ("path", wide, text),
        ("header", wide, text),
        ("path", mixed, text),
        ("header", "{}", text),
        ("path", number, number),
        ("query", any, any),
    ] {
        let document = Json::parse(&format!(
            r##"{{"paths":{{"/a/{{n}}":{{"get":{{"parameters":[{{"name":"n","in":"{place}","schema":{schema}}}]}}}}}},
            "components":{{"schemas":{{"Any":{{}},"Wide":{{"type":"integer","format":"uint256"}}}}}}}}"##
        ))
        .unwrap();
        let tidied = tidied(&document);
        let parameter = "/paths/~1a~1{n}/get/parameters/0";
        let found = tidied.root.pointer("/paths/~1a~1{n}/get/parameters");
        let wanted = format!(r#"[{{"name":"n","in":"{place}","schema":{kept}}}]"#);
        assert_eq!(found.map(ToString::to_string), Some(wanted), "{schema}");
        let told = tidied.losses.iter().any(|loss| loss.pointer == parameter);
        assert_eq!(told, kept == text, "{place} {schema}");
    }
}

#[test]
fn a_union_within_an_all_of_keeps_its_kinds_with_what_stands_around_them() {
    let kinds = r##""Card":{"type":"object","properties":{"amount":{"type":"number"},"fee":{"type":"number"}}},
        "Iban":{"type":"object","properties":{"iban":{"type":"string"}}},
        "Either":{"oneOf":[{"$ref":"#/components/schemas/Card"},{"$ref":"#/components/schemas/Iban"}]},
        "Tagged":{"oneOf":[{"$ref":"#/components/schemas/Card"},{"$ref":"#/components/schemas/Iban"}],"discriminator":{"propertyName":"kind"}},
        "Made":{"allOf":[{"properties":{"id":{"type":"string"}}},{"$ref":"#/components/schemas/Either"}]}"##;
    let id = r#"{"type":"object","properties":{"id":{"type":"string"}}}"#;
    let named = |name: &str| format!(r##"{{"$ref":"#/components/schemas/{name}"}}"##);
    let json = "/components/schemas/A: its kinds: it is kept as JSON, which can be read as each of them";
    let tagged = r#"{"type":"object","x-tag":"kind","properties":{"Card":{"type":"object","properties":{"id":{"type":"string"},"amount":{"type":"number","format":"decimal"},"fee":{"type":"number","format":"decimal"}}},"Iban":{"type":"object","properties":{"id":{"type":"string"},"iban":{"type":"string"}}}}}"#;
    for (parts, tidy, lost) in [
        (format!("{id},{}", named("Either")), "{}", json),
        (format!("{},{id}", named("Either")), "{}", json),
        (named("Made") + "," + id, "{}", json),
        (format!("{},{}", named("Either"), named("Made")), "{}", json),
        (format!("{id},{}", named("Tagged")), tagged, ""),
        (
            format!(r#"{id},{{"anyOf":[{{"required":["id"]}},{{"required":["no"]}}]}}"#),
            r#"{"type":"object","properties":{"id":{"type":"string"}}}"#,
            "/components/schemas/A: which of its fields go together",
        ),
        (
            format!(
                r#"{id},{{"oneOf":[{{"type":"object","properties":{{"k":{{"enum":["a"]}}}}}},{{"type":"object","properties":{{"k":{{"enum":["b"]}}}}}}]}}"#
            ),
            r#"{"type":"object","x-tag":"k","properties":{"a":{"type":"object","properties":{"id":{"type":"string"},"k":{"type":"string","enum":["a"]}}},"b":{"type":"object","properties":{"id":{"type":"string"},"k":{"type":"string","enum":["b"]}}}}}"#,
            "",
        ),
    ] {
        let (found, losses, faults) = of(&format!(r#"{{{kinds},"A":{{"allOf":[{parts}]}}}}"#));
        assert_eq!((found.as_str(), faults.len()), (tidy, 0), "{parts}");
        let of_it: Vec<&String> = losses.iter().filter(|told| told.contains("schemas/A:")).collect();
        assert_eq!(of_it.first().map_or("", |told| told.as_str()), lost, "{parts}");
    }
}

#[test]
fn a_date_that_is_sent_stays_one_though_a_reply_is_made_of_the_same() {
    let body = |schema: &str| {
        format!(r##"{{"content":{{"application/json":{{"schema":{{"$ref":"#/components/schemas/{schema}"}}}}}}}}"##)
    };
    let lenient = r#"{"type":"string","format":"date","x-lenient":"date-time"}"#;
    for (reply, of_order, of_reply) in [
        // Written out in the reply, with more.
        (
            r##"{"allOf":[{"$ref":"#/components/schemas/Order"},{"properties":{"id":{"type":"string"}}}]}"##,
            r#"{"type":"string","format":"date"}"#,
            Some(lenient),
        ),
        // A value of it stands in the reply.
        (
            r##"{"allOf":[{"$ref":"#/components/schemas/Order"},{"properties":{"first":{"$ref":"#/components/schemas/Order"}}}]}"##,
            lenient,
            Some(lenient),
        ),
        // Another name for it.
        (
            r##"{"allOf":[{"$ref":"#/components/schemas/Order"}],"description":"It."}"##,
            lenient,
            None,
        ),
    ] {
        let document = format!(
            r##"{{"paths":{{"/orders":{{"post":{{"requestBody":{},"responses":{{"201":{}}}}}}}}},"components":{{"schemas":{{
            "Order":{{"type":"object","properties":{{"on":{{"type":"string","format":"date"}}}}}},"Reply":{reply}}}}}}}"##,
            body("Order"),
            body("Reply")
        );
        let tidy = tidied(&Json::parse(&document).unwrap()).root;
        let on = |name: &str| {
            let pointer = format!("/components/schemas/{name}/properties/on");
            tidy.pointer(&pointer).map(ToString::to_string)
        };
        assert_eq!(on("Order").as_deref(), Some(of_order), "{reply}");
        assert_eq!(on("Reply").as_deref(), of_reply, "{reply}");
    }
}
