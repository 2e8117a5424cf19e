//! A certificate authority for one run of the tests, and what it signed.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// PEM texts that a server and its clients need, all made anew for this process.
pub struct Certificates {
    /// The authority that signed the server's and the client's certificate.
    pub ca_pem: String,
    /// An authority that signed nothing here, for tests in which trust must fail.
    pub stranger_ca_pem: String,
    /// Valid for the name `localhost` only; so a client that checks names fails through `127.0.0.1`.
    pub server_cert_pem: String,
    pub server_key_pem: String,
    pub client_cert_pem: String,
    pub client_key_pem: String,
}

impl Certificates {
    /// Makes both authorities and the two signed pairs.
    pub fn generate() -> Self {
        let ca = authority("ciosync tests");
        let stranger = authority("a stranger");
        let (server_cert_pem, server_key_pem) =
            signed(&ca, "localhost", &["localhost"], ExtendedKeyUsagePurpose::ServerAuth);
        let (client_cert_pem, client_key_pem) =
            signed(&ca, "ciosync", &[], ExtendedKeyUsagePurpose::ClientAuth);
        Self {
            ca_pem: ca.pem(),
            stranger_ca_pem: stranger.pem(),
            server_cert_pem,
            server_key_pem,
            client_cert_pem,
            client_key_pem,
        }
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = named(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Returns the certificate and its key.
fn signed(
    ca: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    dns_names: &[&str],
    usage: ExtendedKeyUsagePurpose,
) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = named(name, dns_names);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    (params.signed_by(&key, ca).unwrap().pem(), key.serialize_pem())
}

fn named(name: &str, dns_names: &[&str]) -> CertificateParams {
    let dns_names: Vec<String> = dns_names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(dns_names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
