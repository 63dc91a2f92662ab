//! What `npm run bench` compares with: the sev crate's launch digest, and OpenSSL alone.
use openssl::hash::{hash, MessageDigest};
use sev::measurement::{
    snp::{snp_calc_launch_digest, SnpMeasurementArgs},
    vcpu_types::CpuType,
    vmsa::{GuestFeatures, VMMType},
};
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args[1].as_str() {
        "measure" => println!("{}", measure(&args[2], args[3].parse().unwrap())),
        "pages" => println!("{}", pages(&args[2], args[3].parse().unwrap())),
        other => panic!("{other}?"),
    }
}

/// The launch digest of an SNP guest under QEMU.
fn measure(firmware: &str, vcpus: u32) -> String {
    let args = SnpMeasurementArgs {
        vcpus,
        vcpu_type: CpuType::EpycMilan,
        ovmf_file: firmware.into(),
        guest_features: GuestFeatures(1),
        kernel_file: None,
        initrd_file: None,
        append: None,
        ovmf_hash_str: None,
        vmm_type: Some(VMMType::QEMU),
    };
    snp_calc_launch_digest(args).unwrap().get_hex_ld()
}

/// Median milliseconds of SHA-384 over every page of a file and over 112 bytes for each.
fn pages(file: &str, runs: usize) -> f64 {
    let bytes = std::fs::read(file).unwrap();
    let info = [0u8; 112];
    let mut times = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        for page in bytes.chunks(4096) {
            std::hint::black_box(hash(MessageDigest::sha384(), page).unwrap());
            std::hint::black_box(hash(MessageDigest::sha384(), &info).unwrap());
        }
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}
