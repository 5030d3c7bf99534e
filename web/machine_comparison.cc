// The routes of a replica about comparisons. See docs/formats/machine-protocol.md.
#include "web/machine_routes.h"

namespace greffe::web {
namespace {

constexpr std::uint64_t kMaxQuestionBytes = 64 * 1024;  // 4,096 leaves are 22 KB
constexpr int kBeingMade = 202;

}  // namespace

void MachineRoutes::add_comparison_routes(std::vector<http::Route>& out) {
  const std::string base = "/v1/log/from/{origin}/comparison";
  out.push_back(route("POST", base, &MachineRoutes::begin_comparison, kMaxQuestionBytes));
  out.push_back(route("POST", base + "/nodes", &MachineRoutes::comparison_nodes, kMaxQuestionBytes));
  out.push_back(route("POST", base + "/ids", &MachineRoutes::comparison_ids, kMaxQuestionBytes));
  out.push_back(route("POST", base + "/challenge", &MachineRoutes::challenge, kMaxQuestionBytes));
}

MachineRoutes::Answer MachineRoutes::begin_comparison(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const ComparisonBegin begin = GREFFE_TRY(parse_comparison_begin(request.body));
  const ComparisonState state = GREFFE_TRY(comparisons_->ask(peer, target.origin, begin));
  return http::json_response(state.ready ? 200 : kBeingMade, write_comparison_state(state));
}

MachineRoutes::Answer MachineRoutes::comparison_nodes(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const NodesQuestion question = GREFFE_TRY(parse_nodes_question(request.body));
  const std::vector<Digest> hashes = GREFFE_TRY(comparisons_->answer(peer, target.origin, question));
  return http::json_response(200, write_nodes_answer(hashes));
}

MachineRoutes::Answer MachineRoutes::comparison_ids(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const IdsQuestion question = GREFFE_TRY(parse_ids_question(request.body));
  const IdsAnswer ids = GREFFE_TRY(comparisons_->answer(peer, target.origin, question));
  return http::json_response(200, write_ids_answer(ids));
}

MachineRoutes::Answer MachineRoutes::challenge(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const ChallengeQuestion question = GREFFE_TRY(parse_challenge_question(request.body));
  const ChallengeAnswer answers = GREFFE_TRY(comparisons_->answer(peer, target.origin, question));
  return http::json_response(200, write_challenge_answer(answers));
}

}  // namespace greffe::web
