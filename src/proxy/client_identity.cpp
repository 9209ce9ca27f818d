#include "lmb/proxy/client_identity.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

namespace lmb::proxy {
namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

/// More hops than any real way has: what is left of them is not looked at.
constexpr std::size_t hops_max = 32;
constexpr std::string_view white_space = " \t";

std::string_view trimmed(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
  const auto last = text.find_last_not_of(white_space);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view bearer_token(std::string_view value) noexcept {
  constexpr std::string_view scheme = "bearer ";
  if (!boost::beast::iequals(value.substr(0, scheme.size()), scheme)) return {};
  return trimmed(value.substr(scheme.size()));
}

/// An address of X-Forwarded-For; some proxies add the port.
std::optional<asio::ip::address> parse_hop(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    text = text.substr(1, end - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  constexpr std::size_t longest = 45;  // An IPv6 address with an IPv4 one at its end.
  if (text.size() > longest) return std::nullopt;
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(std::string(text), ec);
  if (ec || (address.is_v6() && address.to_v6().scope_id() != 0)) return std::nullopt;
  return net::unmapped(address);
}

}  // namespace

Credentials credentials_of(const protocol::RequestHead& head, bool with_hops) {
  Credentials out;
  if (const auto* field = head.fields.find(http::field::authorization)) {
    out.token = bearer_token(field->value);
  }
  if (const auto* field = head.fields.find("x-api-key"); field != nullptr && out.token.empty()) {
    out.token = trimmed(field->value);
  }
  if (!with_hops) return out;
  for (const auto& each : head.fields.all()) {
    if (!boost::beast::iequals(each.name, "X-Forwarded-For")) continue;
    for (std::string_view rest = each.value; !rest.empty();) {
      const auto comma = std::min(rest.find(','), rest.size());
      if (const auto hop = trimmed(rest.substr(0, comma)); !hop.empty()) {
        out.forwarded_for.push_back(hop);
      }
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return out;
}

Identities::Identities(AuthOptions options) : trusted_(std::move(options.trusted_proxies)) {
  if (RAND_bytes(secret_.data(), static_cast<int>(secret_.size())) != 1) {
    throw std::runtime_error("the system gives no random numbers");
  }
  for (auto& key : options.keys) {
    keys_.push_back({digest_of("token-", key.secret), std::move(key.name)});
    OPENSSL_cleanse(key.secret.data(), key.secret.size());
  }
}

Identities::Digest Identities::digest_of(std::string_view kind, std::string_view text) const {
  const std::string whole = std::string(kind) + std::string(text);
  Digest digest{};
  unsigned size = 0;
  const auto* done = HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
                          reinterpret_cast<const unsigned char*>(whole.data()), whole.size(),
                          digest.data(), &size);
  if (done == nullptr || size != digest.size()) throw std::runtime_error("no HMAC-SHA256");
  return digest;
}

bool Identities::trusts(const asio::ip::address& peer) const {
  return std::any_of(trusted_.begin(), trusted_.end(),
                     [&](const net::Network& network) { return network.contains(peer); });
}

Origin Identities::origin(const Credentials& credentials, const asio::ip::address& peer) const {
  Origin out{net::unmapped(peer), {}};
  out.chain = out.client.to_string();
  const auto& hops = credentials.forwarded_for;
  for (std::size_t i = 0; i < std::min(hops.size(), hops_max); ++i) {
    if (!trusts(out.client)) break;
    const auto hop = parse_hop(hops[hops.size() - 1 - i]);
    if (!hop) break;
    out.client = *hop;
    out.chain = hop->to_string() + ", " + out.chain;
  }
  return out;
}

ClientIdentity Identities::hashed(std::string_view kind, std::string_view text) const {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto digest = digest_of(kind, text);
  ClientIdentity identity;
  std::memcpy(&identity.id, digest.data(), sizeof identity.id);
  identity.name = kind;
  for (std::size_t i = 0; i < sizeof identity.id; ++i) {
    identity.name += digits[digest[i] / 16];
    identity.name += digits[digest[i] % 16];
  }
  return identity;
}

Result<ClientIdentity> Identities::identify(const Credentials& credentials,
                                            const Origin& origin) const {
  if (keys_.empty()) {
    return credentials.token.empty() ? hashed("address-", origin.client.to_string())
                                     : hashed("token-", credentials.token);
  }
  // All are looked at, and only hashes: neither which key nor how much of it is right shows in the
  // time.
  const auto shown = digest_of("token-", credentials.token);
  const NamedKey* found = nullptr;
  for (const auto& key : keys_) {
    if (CRYPTO_memcmp(key.digest.data(), shown.data(), shown.size()) == 0) found = &key;
  }
  if (found == nullptr) return Error(ErrorKind::unauthorized);
  ClientIdentity identity;
  std::memcpy(&identity.id, found->digest.data(), sizeof identity.id);
  identity.name = found->name;
  return identity;
}

}  // namespace lmb::proxy
