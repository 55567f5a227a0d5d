//! What is a token where a reply has one, and what is none.

use super::*;

#[test]
fn a_token_of_every_character_that_a_header_can_carry_is_taken() {
    let body = r#"{"access_token":"!a~","token_type":"BeArEr","refresh_token":"","id_token":"i"}"#;
    let taken = tokens(&PLAIN, body);
    assert_eq!(taken.access_token.expose_secret(), "!a~");
    assert!(taken.refresh_token.is_none(), "an empty refresh token is none");
    assert!(taken.id_token.is_none(), "nobody asked for it");
    let asked = Asked {
        keep_id_token: true,
        ..ASKED
    };
    let taken = read(&PLAIN, &asked, &reply(200, body)).unwrap();
    assert_eq!(taken.id_token.unwrap().expose_secret(), "i");
}

#[test]
fn an_access_token_may_be_a_number_as_it_is_written() {
    for written in ["7", "0042", "-1.50e+9", "12345678901234567890"] {
        let body = format!(r#"{{"access_token":{written}}}"#);
        assert_eq!(tokens(&PLAIN, &body).access_token.expose_secret(), written);
    }
}

#[test]
fn a_refresh_token_is_a_text_or_a_number_as_it_is_written_and_anything_else_but_a_word_for_none_is_told() {
    for (written, token, is_told) in [
        (r#""r""#, Some("r"), false),
        (r#"" r\n""#, Some("r"), false),
        ("7", Some("7"), false),
        ("0042", Some("0042"), false),
        ("-1.50e+9", Some("-1.50e+9"), false),
        ("12345678901234567890", Some("12345678901234567890"), false),
        ("0", None, false),
        ("null", None, false),
        ("false", None, false),
        ("", None, false),
        (r#""""#, None, false),
        (r#"" ""#, None, false),
        ("[]", None, false),
        ("{}", None, false),
        ("true", None, true),
        ("word", None, true),
        ("e", None, true),
        ("1,2", Some("1"), false),
        (r#"["r"]"#, Some("r"), false),
        ("[7]", Some("7"), false),
        (r#"["r","s"]"#, None, true),
        (r#"[["r"]]"#, None, true),
        (r#"{"token":"r"}"#, None, true),
        (r#""r\ud83d""#, None, true),
        // Words for none, in whatever form.
        (r#""null""#, None, false),
        (r#""undefined""#, None, false),
        (r#""None""#, None, false),
        (r#""false""#, None, false),
        (r#""0""#, None, false),
        ("0.0", None, false),
        ("-1", None, false),
        (r#""***""#, None, false),
        (r#""0000000000000000""#, None, false),
        (r#""00000000000000000""#, Some("00000000000000000"), false),
        ("None", None, false),
        // Words on a token, and what stands for one.
        (r#""none issued""#, None, false),
        (r#"["This field may not be set."]"#, None, false),
        (r#""expired""#, None, false),
        (r#""[REDACTED]""#, None, false),
        (r#""refr***""#, None, false),
        (r#""refr""#, None, false),
        (r#""refrxxxxx""#, None, false),
        (r#""refresh-*""#, None, false),
        (r#""REFRESH-1""#, None, false),
        (r#""refresh-...""#, None, false),
        (r#""refr***sh-1""#, None, false),
        (r#""****sh-1""#, None, false),
        (r#""refr\u2026-1""#, None, false),
        // One that only begins as the one before it.
        (r#""refresh-x""#, Some("refresh-x"), false),
        (r#""refresh-X""#, Some("refresh-X"), false),
        (r#""refresh-~""#, Some("refresh-~"), false),
        (r#""refresh""#, Some("refresh"), false),
        (r#""refresh-2""#, Some("refresh-2"), false),
        (r#""refresh-1x""#, Some("refresh-1x"), false),
        (r#""M.C5_BAY.-Cq*l!!Z8$""#, Some("M.C5_BAY.-Cq*l!!Z8$"), false),
    ] {
        let body = format!(r#"{{"access_token":"a","refresh_token":{written}}}"#);
        let fields = ReplyFields::of(body.as_bytes()).unwrap();
        let read = refresh_token(&fields, &ASKED);
        assert_eq!(read.as_ref().map(Secret::expose_secret), token, "{written}");
        assert_eq!(has_unreadable_refresh_token(&fields, &ASKED), is_told, "{written}");
    }
    for written in [
        r#"{"refresh_token":"r","refresh_token":["s"]}"#,
        r#"{"refresh_token":["s"],"refresh_token":"r"}"#,
    ] {
        let fields = ReplyFields::of(written.as_bytes()).unwrap();
        assert_eq!(
            refresh_token(&fields, &ASKED).unwrap().expose_secret(),
            "r",
            "{written}"
        );
    }
    let twice = ReplyFields::of(br#"{"refresh_token":"r","refresh_token":["s","t"]}"#).unwrap();
    assert!(!has_unreadable_refresh_token(&twice, &ASKED), "one of them can be read");
}

#[test]
fn where_no_error_is_said_a_token_may_have_every_character_of_its_grammar() {
    // RFC 6749 appendices A.12 and A.17.
    for (access, refresh) in [
        ("a1c[9]", "tok[9]abc"),
        ("a1c[9]", "refresh-2"),
        ("a[9", "r[2"),
        ("x;tqyYQQj?dd.YpslzwYPh'Yuek[Q_O)", "y;tqyYQQj?dd.YpslzwYPh'Yuek[Q_O)"),
        ("abcdefgh[jklm", "refresh-2"),
        ("0123456789.ABCDEFGHIJ***KLMNOPQRST", "r**2[abc"),
    ] {
        for beside in [
            "",
            r#""error":null,"#,
            r#""error":"","#,
            r#""error":"none","errors":[],"#,
        ] {
            for named in [["access_token", "refresh_token"], ["accessToken", "refreshToken"]] {
                let [a, r] = named;
                let body = format!(r#"{{{beside}"{a}":"{access}","{r}":"{refresh}","expires_in":60}}"#);
                let (wrapped, noticed) = (format!(r#"{{"data":{body}}}"#), format!("Notice: x\n{body}"));
                for body in [&body, &wrapped, &noticed] {
                    let read = tokens(&PLAIN, body);
                    let is_odd = access == "abcdefgh[jklm";
                    assert_eq!(read.unusable.is_some(), is_odd, "{body}");
                    assert!(is_odd || read.access_token.expose_secret() == access, "{body}");
                    assert_eq!(read.refresh_token.unwrap().expose_secret(), refresh, "{body}");
                }
            }
        }
        // Beside an error they may be words on it.
        let body = format!(r#"{{"error":"invalid_grant","access_token":"{access}","refresh_token":"r[2]"}}"#);
        let error = read(&PLAIN, &ASKED, &reply(200, &body)).unwrap_err();
        assert_eq!(error.code(), Some("invalid_grant"), "{body}");
    }
    let done = r#"{"ERROR":{"Code":0,"Message":"Operation completed"},"access_token":"a1","refresh_token":"r1[2]x","expires_in":60}"#;
    assert_eq!(tokens(&PLAIN, done).refresh_token.unwrap().expose_secret(), "r1[2]x");
    let without_a_code = done.replace(r#""Code":0"#, r#""Code":"""#);
    let read_so = read(&PLAIN, &ASKED, &reply(200, &without_a_code));
    assert!(read_so.is_err() || read_so.unwrap().refresh_token.is_none());
    // Beside nothing that describes an access token they may be words on one that lives.
    for refresh in ["tok[9]abc", "refresh-2[0]:x"] {
        for beside in [
            "",
            r#""access_token":"a","#,
            r#""access_token":"abc[de","expires_in":60,"#,
        ] {
            let body = format!(r#"{{{beside}"refresh_token":"{refresh}"}}"#);
            let read = read(&PLAIN, &ASKED, &reply(200, &body));
            assert!(read.is_err() || read.unwrap().refresh_token.is_none(), "{body}");
        }
    }
    // What is no token without an access token: a sentence, and what shows some of one.
    for refresh in ["Field 2 is required", "ab12...yz", "ab12***", "[hidden 2]"] {
        let body = format!(r#"{{"status":"processing","refresh_token":"{refresh}"}}"#);
        assert!(problem(&ASKED, &reply(200, &body)).1, "{body}");
    }
}

#[test]
fn a_refresh_token_may_have_any_character_where_all_else_is_as_it_should_be() {
    for token in ["r [2] and more", "refresh 2"] {
        let body = format!(r#"{{"access_token":"access-2","expires_in":600,"refresh_token":"{token}"}}"#);
        let read = read(&PLAIN, &ASKED, &reply(200, &body)).unwrap();
        assert_eq!(read.refresh_token.as_ref().map(Secret::expose_secret), Some(token));
    }
    // Nor where there is an error, or no access token.
    let body = r#"{"access_token":"access-2","error":"e1","refresh_token":"refresh 2"}"#;
    assert!(read(&PLAIN, &ASKED, &reply(200, body)).unwrap().refresh_token.is_none());
    let body = r#"{"access_token":"","refresh_token":"refresh 2"}"#;
    assert!(read(&PLAIN, &ASKED, &reply(200, body)).is_err());
    // What is cut from the one that was sent is none there either.
    let body = r#"{"access_token":"access-2","expires_in":600,"refresh_token":"refr..."}"#;
    assert!(read(&PLAIN, &ASKED, &reply(200, body)).unwrap().refresh_token.is_none());
}

#[test]
fn what_repeats_a_token_in_part_or_stands_for_one_is_none_whatever_is_beside_it() {
    let secrets = [
        "",
        "refresh-1-0123456789abcdef0123456789",
        "0123456789abcdef0123456789abcdef",
    ];
    let asked = Asked {
        secrets: &secrets,
        ..ASKED
    };
    for text in [
        "refresh-1-0123456789[truncated]",
        "0123456789[redacted]",
        "0123456789[cut]",
        "0123456789abcdef0123...[truncated]",
        "0123456789abcdef[truncated]",
        "0123456789abcdef(truncated)",
        "0123456789...(truncated)",
        "0123456789...(16 more)",
        "0123456789<truncated 16 chars>",
        "0123456789abcdef0123456789abcdef (spent)",
        "0123456789abcdef0123456789abcdef was spent",
        "0123****************89ab****cdef",
        "0123456789abcdef...fedcba9876543210",
        "****************************1234",
        "****************************12340123",
        "***45678901234567890123456789012",
        "ab12••••",
        "token[32chars]",
        "refresh_token[0]:invalid",
        "body[refresh_token]:E42",
        "[REDACTED:32]x",
        "string[40]",
    ] {
        let shapes = [
            format!(r#"{{"status":"processing","refresh_token":"{text}"}}"#),
            format!(r#"{{"data":{{"refresh_token":"{text}"}}}}"#),
            format!(r#"{{"status":"processing","refreshToken":"{text}"}}"#),
            format!(r#"{{"access_token":"{text}","refresh_token":"{text}","expires_in":3600}}"#),
        ];
        for body in shapes {
            match read(&PLAIN, &asked, &reply(200, &body)) {
                Err(Error::Reply { in_doubt: true, .. }) => {}
                other => panic!("{body} {other:?}"),
            }
        }
        let body = format!(r#"{{"access_token":"a","refresh_token":"{text}","expires_in":3600}}"#);
        let read = read(&PLAIN, &asked, &reply(200, &body)).unwrap();
        assert!(read.refresh_token.is_none(), "{body}");
    }
    for access in [
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9...",
        "a1b2c3d4-****-4321-****-9f3e12345678",
        "string[40]",
    ] {
        let body = format!(r#"{{"access_token":"{access}","expires_in":300}}"#);
        assert!(problem(&ASKED, &reply(200, &body)).1, "{body}");
    }
}
