// The two sites as a comparison sees them: one is asked what it holds, the other is told what it lacks. Thread-safe.
#ifndef GREFFE_REPLICATE_COMPARED_SITE_H
#define GREFFE_REPLICATE_COMPARED_SITE_H

#include <memory>
#include <string>

#include "archive/client/archive_client.h"

namespace greffe::replicate {

// The second site, about one origin. As client::ArchiveClient::ask_comparison.
class ComparedSite {
 public:
  virtual ~ComparedSite() = default;
  virtual Result<std::string> ask(client::ComparisonStep step, std::string question) = 0;
};

// The archive whose pool is read here. As client::ArchiveClient::report_absent.
class InformedSite {
 public:
  virtual ~InformedSite() = default;
  virtual Result<std::uint64_t> report_absent(const AbsentObjects& absent) = 0;
};

std::unique_ptr<ComparedSite> connect_compared_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::string origin);
std::unique_ptr<InformedSite> connect_informed_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity);

}  // namespace greffe::replicate

#endif
