#include "lmb/protocol/forward_head.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "field_list.hpp"

namespace lmb::protocol {
namespace {

using boost::beast::http::field;

constexpr std::array dropped_request_ids{
    // Of one connection only (RFC 9110 section 7.6.1).
    field::connection, field::close, field::keep_alive, field::proxy_connection, field::te,
    field::trailer, field::transfer_encoding, field::upgrade, field::http2_settings,
    field::proxy_authenticate, field::proxy_authorization, field::proxy_authentication_info,
    // Written anew, or true only between client and us.
    field::host, field::content_length, field::content_encoding, field::accept_encoding,
    field::expect, field::authorization, field::forwarded, field::cookie};

constexpr std::array<std::string_view, 3> dropped_request_names{"x-api-key", "x-real-ip",
                                                                "x-request-id"};
constexpr std::string_view forwarded_prefix = "x-forwarded-";

constexpr std::array<std::string_view, 2> dropped_response_names{"x-powered-by", "x-request-id"};
constexpr std::string_view own_prefix = "x-lmb-";

/// The id of `name` with each `_` read as `-`.
field folded_id(const HeaderField& header) noexcept {
  std::array<char, 32> folded{};
  static_assert(std::string_view("proxy-authentication-info").size() <= folded.size());
  const std::string_view name = header.name;
  if (name.find('_') == std::string_view::npos || name.size() > folded.size()) {
    return header.id;
  }
  std::replace_copy(name.begin(), name.end(), folded.begin(), '_', '-');
  return boost::beast::http::string_to_field({folded.data(), name.size()});
}

template <class Names>
bool is_one_of(const Names& names, std::string_view name) noexcept {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view each) { return same_field_name(each, name); });
}

/// Calls `visit` with each option of each Connection field until it returns true.
template <class Visitor>
bool any_connection_option(const HeaderFields& fields, Visitor visit) noexcept {
  for (const HeaderField& each : fields.all()) {
    if (each.id != field::connection) {
      continue;
    }
    for (std::string_view rest = each.value; !rest.empty();) {
      if (visit(take_list_item(rest))) {
        return true;
      }
    }
  }
  return false;
}

bool is_fate_of_connection(std::string_view option) noexcept {
  return same_field_name(option, "close") || same_field_name(option, "keep-alive");
}

/// The fields that Connection declares to end here.
class ListedFields {
 public:
  explicit ListedFields(const HeaderFields& fields) noexcept
      : fields_(fields), any_(any_connection_option(fields, [](std::string_view option) {
          return !is_fate_of_connection(option);
        })) {}

  [[nodiscard]] bool contains(std::string_view name) const noexcept {
    return any_ && any_connection_option(fields_, [&](std::string_view option) {
             return same_field_name(option, name);
           });
  }

 private:
  const HeaderFields& fields_;
  bool any_;  ///< Almost never: most lists hold only the connection's fate.
};

bool worker_may_see(const HeaderField& header) noexcept {
  const field id = folded_id(header);
  if (std::find(dropped_request_ids.begin(), dropped_request_ids.end(), id) !=
      dropped_request_ids.end()) {
    return false;
  }
  return !is_one_of(dropped_request_names, header.name) &&
         !field_name_starts_with(header.name, forwarded_prefix) &&
         !field_name_starts_with(header.name, own_prefix);
}

bool client_may_see(const HeaderField& header) noexcept {
  if (header.id == field::content_type || header.id == field::retry_after) {
    return true;
  }
  const std::string_view name = header.name;
  const bool extension = name.size() > 2 && (name[0] == 'x' || name[0] == 'X') && name[1] == '-';
  return extension && !is_one_of(dropped_response_names, name) &&
         !field_name_starts_with(name, own_prefix);
}

void append_line(const HeaderField& header, std::string& out) {
  out.append(header.name).append(": ").append(header.value).append("\r\n");
}

}  // namespace

void append_request_fields(const RequestHead& head, std::string& out) {
  const ListedFields listed(head.fields);
  for (const HeaderField& each : head.fields.all()) {
    if (worker_may_see(each) && !listed.contains(each.name)) {
      append_line(each, out);
    }
  }
}

bool via_names(const RequestHead& head, std::string_view pseudonym) noexcept {
  constexpr std::string_view white_space = " \t";
  for (const HeaderField& each : head.fields.all()) {
    if (each.id != field::via) continue;
    for (std::string_view rest = each.value; !rest.empty();) {
      std::string_view by = take_list_item(rest);
      by.remove_prefix(std::min(by.find_first_of(white_space), by.size()));
      by.remove_prefix(std::min(by.find_first_not_of(white_space), by.size()));
      if (same_field_name(by.substr(0, by.find_first_of(white_space)), pseudonym)) return true;
    }
  }
  return false;
}

void append_response_fields(const ResponseHead& head, std::string& out) {
  const ListedFields listed(head.fields);
  for (const HeaderField& each : head.fields.all()) {
    if (client_may_see(each) && !listed.contains(each.name)) {
      append_line(each, out);
    }
  }
}

std::string_view valid_request_id(const RequestHead& head) noexcept {
  constexpr std::size_t longest = 128;
  const HeaderField* const id = head.fields.find("X-Request-Id");
  if (id == nullptr || id->value.empty() || id->value.size() > longest) {
    return {};
  }
  const bool valid = std::all_of(id->value.begin(), id->value.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
  return valid ? id->value : std::string_view{};
}

}  // namespace lmb::protocol
