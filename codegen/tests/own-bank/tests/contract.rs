//! The contract between generated code and the library: code of today compiles with a library that knows more, and code
//! that does not fit says so first of all.
//!
//! The compiler is asked itself, with the library that this test is linked to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What the generator wrote for `bank.json`.
const GENERATED: &str = include_str!(concat!(env!("OUT_DIR"), "/bank.rs"));

/// What a generator of contract 1.0 wrote for a specification with every kind of thing in it. It stays as it is, as users'
/// crates have it; the list of all that the contract offers is `xtask/tests/contract/v1.txt`.
const WRITTEN_FOR_1_0: &str = include_str!("written-for-1.0/every_kind.rs");

/// What the compiler says of a library: nothing, or its errors in their order.
fn compile(name: &str, code: &str) -> Vec<String> {
    said_of(name, code, &["--crate-type", "lib", "--cap-lints", "allow"])
}

/// What the compiler says of a crate that is compiled with these options.
fn said_of(name: &str, code: &str, options: &[&str]) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("contract-{name}"));
    fs::create_dir_all(&folder).unwrap();
    let source = folder.join("lib.rs");
    fs::write(&source, code).unwrap();
    let libraries = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("libfinrail-") && name.ends_with(".rlib")
    };
    let newest = fs::read_dir(&libraries)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(is_library)
        .max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args(["--edition", "2024", "--emit", "metadata"])
        .args(options)
        .arg("--extern")
        .arg(format!(
            "finrail={}",
            newest.expect("the library that this test links").display()
        ))
        .arg("-L")
        .arg(format!("dependency={}", libraries.display()))
        .arg("--out-dir")
        .arg(&folder)
        .arg(&source)
        .output()
        .expect("rustc");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let errors: Vec<String> = said
        .split("\n\n")
        .filter(|part| part.starts_with("error") && !part.starts_with("error: aborting"))
        .map(str::to_owned)
        .collect();
    assert_eq!(output.status.success(), errors.is_empty(), "{said}");
    errors
}

#[test]
fn a_program_that_uses_a_part_of_its_client_is_compiled_without_a_warning() {
    let program = format!("mod bank {{\n{GENERATED}\n}}\n\nfn main() {{}}\n");
    let said = said_of("program", &program, &["--crate-type", "bin", "--deny", "warnings"]);
    assert_eq!(said, Vec::<String>::new());
}

/// The code without a field, as if the library had got the field since.
fn without(code: &str, field: &str) -> String {
    let is_field = |line: &&str| line.trim_start().starts_with(&format!("{field}: ")) && line.ends_with(',');
    let removed = code.lines().filter(is_field).count();
    assert!(removed > 0, "no structure says `{field}` on a line of its own");
    let rest: Vec<&str> = code.lines().filter(|line| !is_field(line)).collect();
    rest.join("\n")
}

#[test]
fn code_that_was_written_for_this_contract_before_compiles() {
    assert_eq!(
        compile("written-for-1-0", WRITTEN_FOR_1_0),
        Vec::<String>::new(),
        "users' crates have such code: the library keeps what it needs, or begins contract 2 (src/rt/mod.rs)"
    );
}

#[test]
fn code_of_today_compiles_when_the_structures_have_more_fields() {
    assert_eq!(compile("today", GENERATED), Vec::<String>::new());
    // One of each structure that generated code writes out.
    let mut code = GENERATED.to_owned();
    for (structure, field) in [
        ("Operation", "grade"),
        ("Operation", "browser"),
        ("Profile", "response_type_required"),
        ("Profile", "access_token_lifetime"),
        ("ClientAuthentications and ScopeSentOn", "refresh_token"),
        ("RedirectUriRules", "https_or_custom_scheme"),
        ("RefreshFacts", "grace"),
    ] {
        code = without(&code, field);
        assert!(!code.is_empty(), "{structure}");
    }
    assert_eq!(compile("more-fields", &code), Vec::<String>::new());
    // That is what the base values are for: without them the same code does not compile.
    let bare: Vec<&str> = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("..::finrail::rt::"))
        .collect();
    let errors = compile("no-base-values", &bare.join("\n"));
    assert!(errors.iter().any(|error| error.contains("missing field")), "{errors:?}");
}

/// The minor number of the contract that the generator writes for.
fn minor_of_today() -> u32 {
    let line = GENERATED.lines().nth(1).unwrap();
    let (_, minor) = line.split_once("contract! { 1, ").unwrap();
    minor.split(',').next().unwrap().parse().unwrap()
}

/// The generated code, as if another generator had written it for another contract.
fn written_for(contract: u32, minor: u32, generator: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let line = format!("::finrail::rt::contract! {{ 1, {}, \"{version}\",", minor_of_today());
    let first = GENERATED.lines().nth(1).unwrap();
    assert_eq!(first, line);
    GENERATED.replacen(
        &line,
        &format!("::finrail::rt::contract! {{ {contract}, {minor}, \"{generator}\","),
        1,
    )
}

#[test]
fn code_of_another_contract_is_one_error_that_says_what_to_do() {
    for (name, code) in [
        // A generator that wrote for a contract of which this library knows nothing yet.
        ("newer", written_for(2, 0, "0.9.0").replace("::rt::v1::", "::rt::v2::")),
        // The number alone differs.
        ("renumbered", written_for(0, 3, "0.9.0")),
    ] {
        let errors = compile(name, &code);
        assert_eq!(errors.len(), 1, "{name}: {errors:?}");
        for said in [
            "this client was generated by finrail-codegen 0.9.0 for contract",
            "use the same version of finrail (in [dependencies]) and finrail-codegen (in [build-dependencies])",
        ] {
            assert!(errors[0].contains(said), "{name}: {}", errors[0]);
        }
    }
}

#[test]
fn code_that_needs_more_of_the_contract_is_one_error_that_says_what_to_update() {
    // The newer generator writes a field that this library does not have, in every structure that had another one.
    let newer = |minor| {
        let code = written_for(1, minor, "0.1.5").replace("grade: ", "newer: true,\ngrade: ");
        assert!(code.contains("newer: true"));
        code
    };
    let errors = compile("newer-minor", &newer(minor_of_today() + 1));
    assert_eq!(errors.len(), 1, "{errors:?}");
    for said in [
        &format!(
            "this client was generated by finrail-codegen 0.1.5 for contract 1.{}",
            minor_of_today() + 1
        ),
        "update finrail (in [dependencies]) to version 0.1.5 or later",
    ] {
        assert!(errors[0].contains(said), "{}", errors[0]);
    }
    // That is what the minor number is for: without it the compiler tells of every field.
    let errors = compile("newer-fields", &newer(minor_of_today()));
    assert!(errors.len() > 1, "{errors:?}");
    assert!(errors.iter().all(|error| error.contains("newer")), "{errors:?}");
}

/// The bank of these tests has an access key, and another may have none.
#[test]
fn what_a_provider_lacks_is_explained_by_the_compiler() {
    for (name, code, said) in [
        (
            "password",
            "pub fn f(app: &bank::App) { let _ = app.password(\"user\", \"password\", [\"a\"]); }",
            "takes no user names and passwords from applications",
        ),
        (
            "revocation",
            "pub fn f(user: &bank::Connection) { let _ = user.revoke(); }",
            "has no revocation endpoint",
        ),
        (
            "access-key",
            "pub fn f() { let _ = bank::Client::builder().access_key(\"key\", \"\"); }",
            "take no access key",
        ),
        (
            "registration",
            "pub fn f() { let _ = bank::Client::builder().registration_token(\"token\"); }",
            "take no registration token",
        ),
        (
            "scope",
            "pub struct Other; #[derive(Clone, Copy)] pub struct OtherScope;\n\
             impl From<OtherScope> for ::finrail::oauth::RequestedScope<Other> { fn from(_: OtherScope) -> Self { Self::new(\"other\") } }\n\
             pub fn f(app: &bank::App) { let _ = app.client_credentials([OtherScope]); }",
            "RequestedScope<bank::Provider>",
        ),
    ] {
        let bank = GENERATED.replace("impl ::finrail::rt::v1::grant::TakesAccessKey for Client {}", "");
        let errors = compile(name, &format!("pub mod bank {{\n{bank}\n}}\n{code}\n"));
        assert_eq!(errors.len(), 1, "{name}: {errors:?}");
        assert!(errors[0].contains(said), "{name}: {}", errors[0]);
    }
}

#[test]
fn what_generated_code_alone_needs_is_reached_through_the_contract_alone() {
    for name in ["Core", "Failure", "Response", "QueryParam", "encode_path"] {
        let errors = compile(
            &format!("hidden-{name}"),
            &format!("pub use finrail::transport::{name};"),
        );
        assert_eq!(errors.len(), 1, "{name}: {errors:?}");
        let by_contract = format!("pub use finrail::rt::v1::{name};");
        assert_eq!(compile(&format!("contract-{name}"), &by_contract), Vec::<String>::new());
    }
}
