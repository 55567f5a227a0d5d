//! Bodies that are neither JSON nor forms: in parts, and bytes of one media type.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use common::{bank, client, client_of};
use finrail::mock::httpmock::MockServer;
use finrail::sandbox::Fault;
use finrail::transport::Outcome;
use finrail::{Decimal, FilePart};
use own_bank::Scope;
use own_bank::mock::MockServerExt as _;
use own_bank::types::{CreateDocumentBodyPayer, CreateDocumentBodyType, Document};

fn document(front: FilePart) -> own_bank::types::builder::CreateDocumentBody {
    own_bank::types::CreateDocumentBody::builder()
        .type_(CreateDocumentBodyType::Invoice)
        .front_side(front)
        .annexes([FilePart::new("one"), FilePart::new("two").file_name("2.txt")])
        .labels(["a", "b"])
        .amount("10.50".parse::<Decimal>().unwrap())
        .payer(CreateDocumentBodyPayer::builder().name("p\u{e4}yer"))
}

fn front() -> FilePart {
    FilePart::new(vec![0, 13, 10, 255]).file_name("front.pdf")
}

/// What stands on a socket of a call after its token request.
fn on_the_wire(call: impl FnOnce(String) + Send + 'static) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let caller = std::thread::spawn(move || call(base));
    let mut whole = Vec::new();
    while !caller.is_finished() {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        let head = loop {
            let read = stream.read(&mut piece).unwrap();
            request.extend_from_slice(&piece[..read]);
            if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
        let length = text.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        while request.len() < head + length {
            let read = stream.read(&mut piece).unwrap();
            request.extend_from_slice(&piece[..read]);
        }
        let is_token = text.starts_with("post /token");
        let (status, body) = match is_token {
            true => (
                "200 OK",
                r#"{"access_token":"a1b2c3d4","token_type":"Bearer","expires_in":600}"#,
            ),
            false => ("201 Created", r#"{"id":"d-1"}"#),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        drop(stream);
        if !is_token {
            whole = request;
            break;
        }
    }
    caller.join().unwrap();
    whole
}

#[test]
fn a_body_in_parts_has_a_part_for_each_value_with_its_type() {
    let request = on_the_wire(|base| {
        let runtime = finrail_test_runtime();
        let client = client(&base, "client", "s3cr3t", Scope::Transfers);
        let made = runtime.block_on(client.create_document().body(document(front())).send());
        assert_eq!(made.unwrap().id, "d-1");
    });
    let text = String::from_utf8_lossy(&request).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let media_type = head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("content-type:"))
        .unwrap();
    let boundary = media_type.split_once("boundary=").unwrap().1;
    assert!(media_type.contains("multipart/form-data; "), "{media_type}");
    let body = body.replace(boundary, "B");
    let part = |disposition: &str, media_type: &str, content: &str| {
        let line = if media_type.is_empty() {
            String::new()
        } else {
            format!("Content-Type: {media_type}\r\n")
        };
        format!("--B\r\nContent-Disposition: form-data; {disposition}\r\n{line}\r\n{content}\r\n")
    };
    for expected in [
        part(r#"name="type""#, "", "invoice"),
        part(
            r#"name="front-side"; filename="front.pdf""#,
            "application/pdf",
            "\u{0}\r\n\u{fffd}",
        ),
        part(r#"name="annexes""#, "application/octet-stream", "one"),
        part(r#"name="annexes"; filename="2.txt""#, "application/octet-stream", "two"),
        part(r#"name="labels""#, "", "a"),
        part(r#"name="labels""#, "", "b"),
        part(r#"name="amount""#, "", "10.50"),
        part(r#"name="payer""#, "application/json", "{\"name\":\"p\u{e4}yer\"}"),
    ] {
        assert_eq!(body.matches(&expected).count(), 1, "{expected}\n{body}");
    }
    assert_eq!(body.matches("--B").count(), 9, "{body}");
}

#[test]
fn a_body_of_bytes_is_sent_as_it_is_under_the_banks_media_type() {
    let request = on_the_wire(|base| {
        let runtime = finrail_test_runtime();
        let client = client(&base, "client", "s3cr3t", Scope::Transfers);
        let made = runtime.block_on(client.create_mandate().idempotency_key("k-1").body("aa.bb.cc").send());
        assert_eq!(made.unwrap().id, "d-1");
    });
    let text = String::from_utf8(request).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert_eq!(head.matches("content-type: application/jwt").count(), 1, "{head}");
    assert_eq!((head.matches("content-type").count(), body), (1, "aa.bb.cc"));
}

fn order() -> own_bank::types::builder::CreateOrderBody {
    own_bank::types::CreateOrderBody::builder()
        .amount("12345678901234567.89".parse::<Decimal>().unwrap())
        .count(2)
        .ids(["a b", "c&d"])
        .codes([7, 8])
        .tags(["x"])
}

#[test]
fn a_form_carries_numbers_digit_for_digit_and_lists_as_the_document_says() {
    let request = on_the_wire(|base| {
        let runtime = finrail_test_runtime();
        let client = client(&base, "client", "s3cr3t", Scope::Transfers);
        let made = runtime.block_on(client.create_order().body(order()).send());
        assert_eq!(made.unwrap().id, "d-1");
    });
    let text = String::from_utf8(request).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    let media_type = "content-type: application/x-www-form-urlencoded\r\n";
    assert_eq!(head.matches(media_type).count(), 1, "{head}");
    let mut fields: Vec<&str> = body.split('&').collect();
    fields.sort_unstable();
    let expected = [
        "amount=12345678901234567.89",
        "codes%5B%5D=7",
        "codes%5B%5D=8",
        "count=2",
        "ids=a+b",
        "ids=c%26d",
        "tags%5B%5D=x",
    ];
    assert_eq!(fields, expected);
}

fn finrail_test_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[tokio::test]
async fn what_is_wrong_with_a_part_is_told_and_nothing_is_sent() {
    let server = MockServer::start();
    let any = server.create_document(|_, then| {
        then.error(500, &own_bank::types::Refusal::default());
    });
    let client = client(&server.base_url(), "client", "s3cr3t", Scope::Transfers);
    let wrong = front().media_type("planted\r\nX-Planted: 1");
    let error = client.create_document().body(document(wrong)).send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    let text = format!("{error} {error:?}");
    assert!(text.contains("front-side") && !text.contains("lanted"), "{text}");
    let incomplete = own_bank::types::CreateDocumentBody::builder().front_side(front());
    let error = client.create_document().body(incomplete).send().await.unwrap_err();
    assert_eq!((error.outcome(), any.calls()), (Outcome::NotSent, 0), "{error}");
}

#[tokio::test]
async fn the_sandbox_takes_the_parts_that_the_document_has() {
    let sandbox = bank().await;
    let client = client_of(&sandbox, Scope::Transfers);
    client.create_document().body(document(front())).send().await.unwrap();
    client.create_order().body(order()).send().await.unwrap();
    client.create_mandate().body(vec![b'a']).send().await.unwrap();
    let empty = client.create_mandate().body("").send().await.unwrap_err();
    assert_eq!(empty.status().map(|status| status.as_u16()), Some(400));
}

#[tokio::test]
async fn a_body_of_bytes_or_parts_is_kept_and_sent_again_as_it_was() {
    let sandbox = bank().await;
    let client = client_of(&sandbox, Scope::Transfers);
    let prepared = client.create_mandate().body("aa.bb.cc").prepare().unwrap();
    let kept = serde_json::to_string(prepared.intent()).unwrap();
    assert!(!kept.contains("aa.bb.cc"), "{kept}");
    sandbox.fault("own_bank", Fault::lost_reply().on("create_mandate"));
    assert_eq!(prepared.send().await.unwrap_err().outcome(), Outcome::Unknown);
    let intent = serde_json::from_str(&kept).unwrap();
    client
        .create_mandate()
        .body("aa.bb.dd")
        .prepare_again(&intent)
        .unwrap_err();
    let again = client
        .create_mandate()
        .body("aa.bb.cc".to_owned())
        .prepare_again(&intent)
        .unwrap();
    again.send().await.unwrap();
}

#[tokio::test]
async fn a_mock_knows_a_call_by_its_bytes_and_by_its_parts() {
    let server = MockServer::start();
    let _ = own_bank::mock::token(&server);
    let made: Document = Document::builder().id("d-1").try_into().unwrap();
    let parts = server.create_document(|when, then| {
        when.body(document(front()));
        then.created(&made);
    });
    let bytes = server.create_mandate(|when, then| {
        when.body("aa.bb.cc");
        then.created(&made);
    });
    let client = client(&server.base_url(), "client", "s3cr3t", Scope::Transfers);
    client
        .create_document()
        .body(document(FilePart::new("other")))
        .send()
        .await
        .unwrap_err();
    client.create_document().body(document(front())).send().await.unwrap();
    client.create_mandate().body("aa.bb.dd").send().await.unwrap_err();
    client.create_mandate().body("aa.bb.cc").send().await.unwrap();
    assert_eq!((parts.calls(), bytes.calls()), (1, 1));
}
