//! What `npm run bench` and `npm run conformance` compare with: AWS's own reading and writing of enclave images.
use aws_nitro_enclaves_image_format::{
    defs::EifIdentityInfo,
    utils::{eif_reader::EifReader, eif_signer::SignKeyData, EifBuilder, PcrSignatureChecker},
};
use serde_json::{json, Value};
use sha2::{Digest, Sha384};
use std::{
    fs::OpenOptions,
    io::BufRead,
    panic::{catch_unwind, AssertUnwindSafe},
    path::Path,
};

/// Takes one order of JSON a line, and answers each with a line of JSON.
fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    for line in std::io::stdin().lock().lines() {
        let order: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = catch_unwind(AssertUnwindSafe(|| match order["do"].as_str().unwrap() {
            "describe" => describe(text(&order["file"])),
            "build" => build(&order),
            other => panic!("{other}?"),
        }));
        println!("{}", answer.unwrap_or_else(|_| json!({"panic": true})));
    }
}

/// As `nitro-cli describe-eif`, and the check that `nitro-cli run-enclave` makes.
fn describe(file: &str) -> Value {
    let mut reader = match EifReader::from_eif(file.to_string()) {
        Ok(reader) => reader,
        Err(error) => return json!({"error": error}),
    };
    let pcrs = reader.get_measurements().unwrap();
    let mut answer = json!({"pcrs": pcrs, "crc": reader.check_crc(), "metadata": reader.get_metadata()});
    if reader.signature_section.is_some() {
        let certificate = reader.get_certificate_info(pcrs);
        answer["certificate"] = json!(certificate.ok());
        answer["signed"] = json!(reader.sign_check);
        let verified = PcrSignatureChecker::from_eif(file).and_then(|mut checker| checker.verify());
        answer["verified"] = json!(verified.err());
    }
    answer
}

/// As `nitro-cli build-enclave`, without Docker.
fn build(order: &Value) -> Value {
    let key = order["key"].as_str().map(|key| SignKeyData::new(key, Path::new(text(&order["certificate"]))).unwrap());
    let metadata: EifIdentityInfo = serde_json::from_value(order["metadata"].clone()).unwrap();
    let mut builder = EifBuilder::new(
        Path::new(text(&order["kernel"])),
        text(&order["cmdline"]).to_string(),
        key,
        Sha384::new(),
        order["flags"].as_u64().unwrap() as u16,
        metadata,
    );
    for ramdisk in order["ramdisks"].as_array().unwrap() {
        builder.add_ramdisk(Path::new(text(ramdisk)));
    }
    let mut file = OpenOptions::new().read(true).create(true).write(true).truncate(true).open(text(&order["file"])).unwrap();
    json!({"pcrs": builder.write_to(&mut file)})
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
