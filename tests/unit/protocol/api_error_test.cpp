#include "lmb/protocol/api_error.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "lmb/protocol/head.hpp"

namespace lmb::protocol {
namespace {

using Json = nlohmann::json;

constexpr Dialect all_dialects[] = {Dialect::openai_chat,
                                    Dialect::openai_completions,
                                    Dialect::openai_embeddings,
                                    Dialect::openai_responses,
                                    Dialect::anthropic,
                                    Dialect::lmstudio_chat,
                                    Dialect::none};

/// Where OpenAI's API has a code of its own for what happened.
const std::map<ErrorKind, std::string_view> codes_of_openai{
    {ErrorKind::unauthorized, "invalid_api_key"},
    {ErrorKind::response_unknown, "previous_response_not_found"}};
/// The member of the request that is to blame.
const std::map<ErrorKind, std::string_view> params{
    {ErrorKind::bad_model, "model"},
    {ErrorKind::model_not_found, "model"},
    {ErrorKind::response_unknown, "previous_response_id"},
    {ErrorKind::response_away, "previous_response_id"}};

template <class F>
void for_each_kind(F f) {
  for (std::size_t i = 0; i < error_kind_count; ++i) f(static_cast<ErrorKind>(i));
}

/// The `data` of an event, whose form is checked.
Json data_of(const std::string& event) {
  EXPECT_TRUE(event.ends_with("}\n\n")) << event;
  const std::size_t data = event.find("data: ");
  EXPECT_NE(data, std::string::npos);
  const std::string text = event.substr(data + 6, event.size() - data - 8);
  EXPECT_EQ(text.find('\n'), std::string::npos) << "a line end would end the event";
  return Json::parse(text);
}

TEST(ErrorTable, has_the_statuses_that_clients_rely_on) {
  const auto status = [](ErrorKind kind) { return error_row(kind).status; };
  using enum ErrorKind;
  EXPECT_EQ(status(bad_request), 400U);
  EXPECT_EQ(status(head_too_large), 431U);
  EXPECT_EQ(status(too_many_headers), 431U);
  EXPECT_EQ(status(target_too_long), 414U);
  EXPECT_EQ(status(unsupported_version), 505U);
  EXPECT_EQ(status(unsupported_transfer_coding), 501U);
  EXPECT_EQ(status(expectation_failed), 417U);
  EXPECT_EQ(status(head_timeout), 408U);
  EXPECT_EQ(status(body_timeout), 408U);
  EXPECT_EQ(status(length_required), 411U);
  EXPECT_EQ(status(body_too_large), 413U);
  EXPECT_EQ(status(unsupported_content_coding), 415U);
  EXPECT_EQ(status(bad_json), 400U);
  EXPECT_EQ(status(unknown_route), 404U);
  EXPECT_EQ(status(method_not_allowed), 405U);
  EXPECT_EQ(status(not_proxied), 403U);
  EXPECT_EQ(status(model_not_found), 404U);
  EXPECT_EQ(status(response_unknown), 409U);
  EXPECT_EQ(status(response_away), 409U);
  EXPECT_EQ(status(unauthorized), 401U);
  EXPECT_EQ(status(client_gone), 0U);
  EXPECT_EQ(status(queue_full), 503U);
  EXPECT_EQ(status(queue_timeout), 504U);
  EXPECT_EQ(status(no_worker), 503U);
  EXPECT_EQ(status(request_timeout), 504U);
  EXPECT_EQ(status(internal), 500U);
  EXPECT_EQ(status(connect_failed), 502U);
  EXPECT_EQ(status(connect_timeout), 504U);
  EXPECT_EQ(status(worker_closed), 502U);
  EXPECT_EQ(status(worker_silent), 504U);
  EXPECT_EQ(status(load_timeout), 504U);
  EXPECT_EQ(status(worker_refused_key), 502U);
  EXPECT_EQ(status(route_unsupported), 501U);
}

TEST(ErrorTable, holds_together_for_every_kind) {
  std::set<std::string_view> messages;
  for_each_kind([&messages](ErrorKind kind) {
    const ErrorRow& row = error_row(kind);
    const std::string_view name = to_string(kind);
    EXPECT_TRUE(row.status == 0 || (row.status >= 400 && row.status < 600)) << name;
    EXPECT_TRUE(row.who == 'C' || row.who == 'W' || row.who == 'P') << name;
    const auto openai_own = codes_of_openai.find(kind);
    EXPECT_EQ(row.code, openai_own == codes_of_openai.end() ? name : openai_own->second);
    EXPECT_TRUE(messages.insert(row.message).second) << name << " has another kind's message";
    // A detail may tell of our own state: only what the client did itself may be shown. Exceptions:
    // a worker's name, which x-lmb-worker tells too, and its own words on a failed load.
    const bool told_by_worker =
        kind == ErrorKind::worker_refused_key || kind == ErrorKind::model_unavailable;
    if (row.detail_for_client && !told_by_worker) {
      EXPECT_EQ(row.type, "invalid_request_error") << name;
    }
    if (row.status >= 400 && row.status < 500) {
      EXPECT_EQ(row.type, "invalid_request_error") << name;
    }
    if (row.retry_after) {
      EXPECT_GE(row.status, 500U) << name;
    }
    if (row.status == 0) {
      EXPECT_TRUE(row.close) << name;
    }
    if (row.status == 503) {
      EXPECT_TRUE(row.retry_after) << name;
    }
  });
}

TEST(ErrorBody, has_openais_form) {
  const std::string body =
      error_body(Error(ErrorKind::bad_model, "\"model\" is missing"), Dialect::openai_chat);
  EXPECT_EQ(body,
            R"({"error":{"message":"The request does not name one model: \"model\" is missing",)"
            R"("type":"invalid_request_error","code":"bad_model","param":"model"}})");
}

TEST(ErrorBody, of_a_refused_worker_key_names_the_worker_and_the_config_key) {
  const Error error(ErrorKind::worker_refused_key, "mac-studio-05");
  const Json body = Json::parse(error_body(error, Dialect::openai_chat))["error"];
  EXPECT_EQ(body["code"], "worker_refused_key");
  EXPECT_EQ(body["type"], "server_error");
  const auto message = body["message"].get<std::string>();
  EXPECT_NE(message.find("workers[].api_key"), std::string::npos) << message;
  EXPECT_TRUE(message.ends_with(": mac-studio-05")) << message;
  EXPECT_FALSE(error_row(error.kind()).retry_after) << "a configuration does not mend itself";
}

TEST(ErrorBody, has_all_members_for_every_kind_and_dialect) {
  for_each_kind([](ErrorKind kind) {
    for (const Dialect dialect : all_dialects) {
      const Json body = Json::parse(error_body(Error(kind), dialect));
      const Json& error = body.at("error");
      EXPECT_FALSE(error.at("message").get<std::string>().empty());
      EXPECT_FALSE(error.at("type").get<std::string>().empty());
      if (dialect == Dialect::anthropic) {
        EXPECT_EQ(body.at("type"), "error");
        continue;
      }
      EXPECT_EQ(error.at("code"), error_row(kind).code);
      const auto param = params.find(kind);
      EXPECT_EQ(error.at("param"), param == params.end() ? Json() : Json(param->second));
    }
  });
}

TEST(ErrorBody, has_anthropics_types) {
  const auto type = [](ErrorKind kind) {
    return Json::parse(error_body(Error(kind), Dialect::anthropic))["error"]["type"];
  };
  EXPECT_EQ(type(ErrorKind::bad_json), "invalid_request_error");
  EXPECT_EQ(type(ErrorKind::unauthorized), "authentication_error");
  EXPECT_EQ(type(ErrorKind::not_proxied), "permission_error");
  EXPECT_EQ(type(ErrorKind::model_not_found), "not_found_error");
  EXPECT_EQ(type(ErrorKind::body_too_large), "request_too_large");
  EXPECT_EQ(type(ErrorKind::queue_full), "overloaded_error");
  EXPECT_EQ(type(ErrorKind::queue_timeout), "api_error");
  EXPECT_EQ(type(ErrorKind::worker_error), "api_error");
  EXPECT_EQ(type(ErrorKind::unsupported_version), "invalid_request_error");
  EXPECT_EQ(type(ErrorKind::route_unsupported), "api_error");
}

TEST(ErrorBody, shows_details_only_where_the_table_says_so) {
  const auto body = [](ErrorKind kind) {
    return error_body(Error(kind, "mac-studio-05.local:1234"), Dialect::none);
  };
  for_each_kind([&body](ErrorKind kind) {
    const bool shown = body(kind).find("mac-studio-05") != std::string::npos;
    EXPECT_EQ(shown, error_row(kind).detail_for_client) << to_string(kind);
  });
  EXPECT_EQ(body(ErrorKind::connect_failed).find("1234"), std::string::npos);
}

TEST(ErrorBody, says_a_broken_limit_once) {
  RequestHead out;
  HeadLimits limits;
  limits.header_count = 1;
  const auto refused = parse_request_head("GET / HTTP/1.1\r\nHost: t\r\nA: 1\r\n\r\n", limits, out);
  ASSERT_FALSE(refused);
  EXPECT_EQ(Json::parse(error_body(refused.error(), Dialect::none))["error"]["message"],
            "The request has too many header fields: send fewer.");
}

TEST(ErrorBody, stays_valid_json_whatever_the_detail_holds) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  for (const Dialect dialect : all_dialects) {
    EXPECT_TRUE(Json::accept(error_body(Error(ErrorKind::bad_request, bytes), dialect)));
    data_of(error_event(Error(ErrorKind::bad_request, bytes), dialect));
  }
  const Json body = Json::parse(
      error_body(Error(ErrorKind::bad_request, "a\"\\\n\r\t\x01\xC3\xA9"), Dialect::none));
  EXPECT_TRUE(body["error"]["message"].get<std::string>().ends_with("a\"\\\n\r\t\x01\xC3\xA9"));
}

TEST(ErrorEvent, is_a_data_event_that_openai_clients_raise_on) {
  for (const Dialect dialect : {Dialect::openai_chat, Dialect::openai_completions, Dialect::none}) {
    const std::string event = error_event(Error(ErrorKind::worker_closed), dialect);
    EXPECT_TRUE(event.starts_with("data: {\"error\":{"));
    EXPECT_EQ(data_of(event).at("error").at("code"), "worker_closed");
  }
}

TEST(ErrorEvent, has_a_name_in_the_dialects_with_named_events) {
  const Error error(ErrorKind::model_not_found);
  for (const Dialect dialect :
       {Dialect::openai_responses, Dialect::anthropic, Dialect::lmstudio_chat}) {
    const std::string event = error_event(error, dialect);
    EXPECT_TRUE(event.starts_with("event: error\ndata: {\"type\":\"error\",")) << event;
    EXPECT_EQ(data_of(event).at("type"), "error");
  }
  const Json responses = data_of(error_event(error, Dialect::openai_responses));
  EXPECT_EQ(responses.at("code"), "model_not_found");
  EXPECT_EQ(responses.at("param"), "model");
  EXPECT_FALSE(responses.at("message").get<std::string>().empty());
  EXPECT_EQ(data_of(error_event(error, Dialect::anthropic)).at("error").at("type"),
            "not_found_error");
  EXPECT_EQ(data_of(error_event(error, Dialect::lmstudio_chat)).at("error").at("type"),
            "model_not_found");
}

}  // namespace
}  // namespace lmb::protocol
