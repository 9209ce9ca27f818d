#include "lmb/upstream/options.hpp"

namespace lmb::upstream {

std::string authority(const WorkerAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace lmb::upstream
