//! Tests of an application without a bank: servers on loopback that answer as they are told, and replies and errors made by
//! hand (feature `mock`).
//!
//! # A server that answers as it is told
//!
//! Every provider module has a module `mock`, with a method on [`httpmock::MockServer`] for each operation. It takes what a
//! call is like, in the types of the client, and what is answered:
//!
//! ```
//! # #[cfg(feature = "finexer")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use finrail::finexer::{self, mock::MockServerExt as _, types};
//! use finrail::mock::httpmock::MockServer;
//!
//! let server = MockServer::start();
//! let page = types::CustomerList::try_from(types::CustomerList::builder().data(Vec::<types::Customer>::new()))?;
//! let listed = server.list_customers(|when, then| {
//!     when.limit(5);
//!     then.ok(&page);
//! });
//!
//! let client = finexer::Client::builder().base_url(server.base_url()).access_key("key", "").build()?;
//! let reply = client.list_customers().limit(5).send().await?;
//! assert!(reply.data.is_empty());
//! listed.assert(); // it was called once
//! # Ok(()) }
//! # #[cfg(not(feature = "finexer"))] fn main() {}
//! ```
//!
//! The client's base URL is that of the server, without a path. A call is known by its method and its path, also where
//! another operation has a path like it; by what `when` says of its parameters; and by the whole of its body, where `when`
//! has one. JSON bodies are compared digit for digit, whatever the order of their members. Of several mocks that fit, the
//! first answers. A call that no mock fits gets a 404 of the server, which is no refusal by the provider: of a call with an
//! effect nobody knows then what became of it ([`Outcome::Unknown`](crate::transport::Outcome::Unknown)), and a warning says
//! which call it was. `and` gives what [`httpmock`] has beside. A server cannot break a connection in the middle: that is a
//! fault of the [sandbox](crate::sandbox), or [`Call::connection_error`].
//!
//! A client that logs in first asks for a token: `mock::token(&server)` of the provider answers that.
//!
//! # Replies and errors made by hand
//!
//! [`call`] names an operation of a provider, and makes what calling it may come to. What may be concluded of that comes
//! from the rules that real replies go through:
//!
//! ```
//! # #[cfg(feature = "ofx")] {
//! use finrail::transport::{ConnectionPoint, Outcome};
//! use finrail::{mock, ofx};
//!
//! /// The function under test.
//! fn may_book_again<E>(error: &finrail::Error<E>) -> bool {
//!     error.is_retryable()
//! }
//!
//! let deal = mock::call::<ofx::Provider>("create_deal");
//! let lost: finrail::Error = deal.connection_error(ConnectionPoint::Sent, true);
//! assert_eq!(lost.outcome(), Outcome::Unknown);
//! assert!(!may_book_again(&lost)); // the deal may be booked
//! let refused: finrail::Error = deal.connection_error(ConnectionPoint::Connect, false);
//! assert!(may_book_again(&refused));
//! # }
//! ```
//!
//! # Panics
//!
//! What a test got wrong is told by a panic: an operation that does not exist, a value that does not fit its parameter. It
//! belongs into tests alone.

mod reply;
#[doc(hidden)] // for generated code, which makes what users see of it
pub mod server;

pub use httpmock;

pub use reply::{Call, Reply, call};
pub use server::{Then, When};

/// Tells a test what it got wrong.
#[track_caller]
#[allow(clippy::panic)]
fn wrong(why: &str) -> ! {
    panic!("the mock cannot be made: {why}")
}
