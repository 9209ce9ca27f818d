#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/protocol/head.hpp"
#include "lmb/proxy/options.hpp"

namespace lmb::proxy {

/// Who sends a request, as far as fairness and the log must tell one client from another. Holds no
/// key, token or address.
struct ClientIdentity {
  std::uint64_t id = 0;  ///< Equal for the same client, while the process runs.
  /// A key's name from the configuration; or "token-" or "address-" and 16 hex digits.
  std::string name;
};

/// What a request shows of its sender; views of its head.
struct Credentials {
  std::string_view token;  ///< Of `Authorization: Bearer`, else of `x-api-key`; may be empty.
  /// Addresses of X-Forwarded-For, all its lines in order, as the client or its proxies wrote them.
  std::vector<std::string_view> forwarded_for;
  bool operator==(const Credentials&) const = default;
};

/// `with_hops`: X-Forwarded-For is of interest.
Credentials credentials_of(const protocol::RequestHead& head, bool with_hops);

/// Where a request comes from.
struct Origin {
  boost::asio::ip::address client;
  /// For the worker's X-Forwarded-For: the client, then the proxies it is believed from.
  std::string chain;
};

/// Tells clients apart: by the name of the key they show, else by a keyed hash of their bearer
/// token, else by one of their address.
///
/// A token or address cannot be found out from its hash: the hash's key is drawn at the start.
/// Thread safety: safe; immutable.
class Identities {
 public:
  explicit Identities(AuthOptions options);

  /// X-Forwarded-For is believed as far as auth.trusted_proxies wrote it: from its end to the first
  /// address that is not one of them, that one included. `peer`: of the connection.
  [[nodiscard]] Origin origin(const Credentials& credentials,
                              const boost::asio::ip::address& peer) const;
  /// Errors: unauthorized, when there are auth.keys and the token is none of them.
  [[nodiscard]] Result<ClientIdentity> identify(const Credentials& credentials,
                                                const Origin& origin) const;
  /// A key must be shown.
  [[nodiscard]] bool keyed() const noexcept { return !keys_.empty(); }
  /// X-Forwarded-For of this peer is believed.
  [[nodiscard]] bool trusts(const boost::asio::ip::address& peer) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct NamedKey {
    Digest digest;
    std::string name;
  };
  [[nodiscard]] Digest digest_of(std::string_view kind, std::string_view text) const;
  [[nodiscard]] ClientIdentity hashed(std::string_view kind, std::string_view text) const;

  Digest secret_{};
  std::vector<NamedKey> keys_;
  std::vector<net::Network> trusted_;
};

}  // namespace lmb::proxy
