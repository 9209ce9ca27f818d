#include "running.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lmb::admin {
namespace {

constexpr std::size_t model_bytes_max = 200;

void add(WaitList::Wait& wait, const WaitList::Wait& more) {
  wait.waiting += more.waiting;
  wait.oldest = std::max(wait.oldest, more.oldest);
}

void add(WaitList& list, std::string_view model, const WaitList::Wait& wait, std::size_t limit) {
  const auto found = list.models.find(model);
  if (found != list.models.end()) return add(found->second, wait);
  if (list.models.size() >= limit) return add(list.others, wait);
  list.models.emplace(model, wait);
}

}  // namespace

RequestList list_requests(const VisitRequests& visit, std::size_t limit, TimePoint now) {
  RequestList list;
  visit([&](const telemetry::RequestRecord& record) {
    if (list.rows.size() >= limit) {
      ++list.left_out;
      return;
    }
    RequestRow row;
    row.id = record.request_id;
    row.client = record.client;
    row.model = record.model.substr(0, model_bytes_max);
    row.route = record.route;
    row.worker = record.worker;
    row.phase = record.phases.open();
    row.age = now - record.phases.begun();
    row.in_phase = now - record.phases.since();
    row.stream = record.stream;
    row.attempts = record.attempts;
    row.tokens = record.generated_tokens;
    list.rows.push_back(std::move(row));
  });
  return list;
}

void merge(RequestList& list, RequestList other, std::size_t limit) {
  std::move(other.rows.begin(), other.rows.end(), std::back_inserter(list.rows));
  std::stable_sort(list.rows.begin(), list.rows.end(),
                   [](const RequestRow& a, const RequestRow& b) { return a.age > b.age; });
  list.left_out += other.left_out;
  if (list.rows.size() <= limit) return;
  list.left_out += list.rows.size() - limit;
  list.rows.resize(limit);
}

WaitList list_waits(const VisitRequests& visit, std::size_t limit, TimePoint now) {
  WaitList list;
  visit([&](const telemetry::RequestRecord& record) {
    if (record.phases.open() != telemetry::Phase::queue) return;
    const WaitList::Wait wait{1, now - record.phases.since()};
    add(list, std::string_view(record.model).substr(0, model_bytes_max), wait, limit);
  });
  return list;
}

void merge(WaitList& list, const WaitList& other, std::size_t limit) {
  for (const auto& [model, wait] : other.models) add(list, model, wait, limit);
  add(list.others, other.others);
}

}  // namespace lmb::admin
