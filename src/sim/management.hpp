#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "studio.hpp"

namespace lmb::sim {

/// POST /api/v1/models/load: answers when the model is loaded.
boost::asio::awaitable<void> answer_load(std::shared_ptr<Studio> studio, http::Exchange& exchange);
/// POST /api/v1/models/unload
boost::asio::awaitable<void> answer_unload(std::shared_ptr<Studio> studio,
                                           http::Exchange& exchange);
/// POST /api/v1/models/download: every model is downloaded already, or not to be had.
boost::asio::awaitable<void> answer_download(std::shared_ptr<Studio> studio,
                                             http::Exchange& exchange);
/// GET /api/v1/models/download/status/{job}: there are no jobs.
boost::asio::awaitable<void> answer_download_status(http::Exchange& exchange, std::string_view job);

}  // namespace lmb::sim
