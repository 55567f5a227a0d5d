//! Tatra banka, Premium API.

pub(in crate::sandbox) mod payment;
