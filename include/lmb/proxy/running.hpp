#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <boost/intrusive/options.hpp>
#include <cstdint>

#include "lmb/base/strong_id.hpp"
#include "lmb/net/interruption.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/telemetry/request_record.hpp"

namespace lmb::proxy {

using UnlinksItself =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A request's place among those that its shard serves now; in it from construction to destruction.
class RunningRequest : public UnlinksItself {
 public:
  RunningRequest(const telemetry::RequestRecord& record,
                 const scheduling::WorkerSet& tried) noexcept
      : record_(record), tried_(tried) {}
  RunningRequest(const RunningRequest&) = delete;
  RunningRequest& operator=(const RunningRequest&) = delete;
  [[nodiscard]] const telemetry::RequestRecord& record() const noexcept { return record_; }
  /// Workers that it is not to be given again.
  [[nodiscard]] scheduling::WorkerSet tried() const noexcept { return tried_; }

 private:
  const telemetry::RequestRecord& record_;
  const scheduling::WorkerSet& tried_;
};
using RunningRequests =
    boost::intrusive::list<RunningRequest, boost::intrusive::constant_time_size<false>>;

class RunningAttempt;
using RunningAttempts =
    boost::intrusive::list<RunningAttempt, boost::intrusive::constant_time_size<false>>;

/// A request that a worker works on, so that it can be ended when the worker is found wedged or
/// does not load what it needs.
/// Thread safety: none; lives on its shard, shorter than the interruption.
class RunningAttempt : public UnlinksItself {
 public:
  /// `record` names the worker; `grant`: Slot::grant of its lease.
  RunningAttempt(RunningAttempts& all, const telemetry::RequestRecord& record, std::uint64_t grant,
                 net::Interruption& interruption)
      : record_(record), worker_(*record.worker), grant_(grant), interruption_(interruption) {
    all.push_back(*this);
  }
  RunningAttempt(const RunningAttempt&) = delete;
  RunningAttempt& operator=(const RunningAttempt&) = delete;
  ~RunningAttempt() { end(); }

  [[nodiscard]] WorkerId worker() const noexcept { return worker_; }
  /// A token of its answer has come: the model is loaded, whatever others may think.
  [[nodiscard]] bool has_token() const noexcept { return record_.first_token.has_value(); }
  [[nodiscard]] std::uint64_t grant() const noexcept { return grant_; }
  [[nodiscard]] net::Interruption& interruption() noexcept { return interruption_; }
  /// Nothing is wanted of the worker any more: what it does ends no wait from now on.
  void end() noexcept {
    if (ended_) return;
    ended_ = true;
    if (is_linked()) unlink();
    interruption_.mend();
  }

 private:
  const telemetry::RequestRecord& record_;
  const WorkerId worker_;
  const std::uint64_t grant_;
  net::Interruption& interruption_;
  bool ended_ = false;
};

}  // namespace lmb::proxy
