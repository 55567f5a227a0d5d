//! What is said by a panic that is meant.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

/// What is said by a call that cannot be carried out.
pub fn said_by_the_panic<T>(call: impl FnOnce() -> T) -> String {
    let call = std::panic::AssertUnwindSafe(call);
    let Err(said) = std::panic::catch_unwind(call) else {
        panic!("it was carried out")
    };
    said.downcast_ref::<String>().unwrap().clone()
}
