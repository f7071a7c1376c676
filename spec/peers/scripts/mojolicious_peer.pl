# A peer of Mojolicious: `mojolicious_peer.pl server`, or `client` with targets on the standard input. See ../peer.ts.
use Mojo::Base -strict, -signatures;
use Mojo::IOLoop;
use Mojo::IOLoop::Stream;
use Mojo::Server::Daemon;
use Mojo::UserAgent;
use Mojolicious;
use Encode 'encode_utf8';

$| = 1;
my $agent = Mojo::UserAgent->new(inactivity_timeout => 120);

sub say_line ($text) { print "$text\n" }

sub answer ($tx, $text) {
  my ($word, $rest) = split / /, $text, 2;
  if (($word // '') eq '!close') {
    my ($code, $reason) = split / /, $rest, 2;
    return $tx->finish($code => $reason);
  }
  return $tx->send([1, 0, 0, 0, 9, $rest]) if ($word // '') eq '!ping';
  return $tx->send({text => $text}) unless ($word // '') eq '!parts';
  $tx->send([0, 0, 0, 0, 1, 'part one, ']);
  $tx->send([0, 0, 0, 0, 0, 'part two, ']);
  $tx->send([1, 0, 0, 0, 0, 'part three']);
}

sub converse ($tx) {
  say_line('open ' . ($tx->protocol // ''));
  $tx->max_websocket_size(16 * 1024 * 1024);
  $tx->on(text   => sub ($tx, $bytes) { answer($tx, $bytes) });
  $tx->on(binary => sub ($tx, $bytes) { $tx->send({binary => $bytes}) });
  $tx->on(frame  => sub ($tx, $frame) { $tx->send({text => "pong $frame->[5]"}) if $frame->[4] == 10 });
  $tx->on(finish => sub ($tx, $code, $reason) { say_line("closed $code " . encode_utf8($reason // '')) });
}

sub connect_to ($url, $compression) {
  my $headers = $compression eq 'on' ? {'Sec-WebSocket-Extensions' => 'permessage-deflate'} : {};
  $agent->websocket($url => $headers => ['chat.v1', 'chat.v2'] => sub ($ua, $tx) {
    return say_line('failed ' . ($tx->error // {message => 'no WebSocket'})->{message}) unless $tx->is_websocket;
    converse($tx);
  });
}

sub client () {
  my $rest  = '';
  my $input = Mojo::IOLoop::Stream->new(\*STDIN)->timeout(0);
  $input->on(read => sub ($stream, $bytes) {
    $rest .= $bytes;
    connect_to(split / /, $1) while $rest =~ s/^([^\n]*)\n//;
  });
  $input->start;
  Mojo::IOLoop->start;
}

sub server () {
  my $app = Mojolicious->new;
  $app->log->level('fatal');
  $app->routes->websocket('/')->to(cb => sub ($c) {
    $c->inactivity_timeout(120);
    $c->tx->with_compression;
    $c->tx->with_protocols('chat.v2');
    $c->rendered(101);
    converse($c->tx);
  });
  my $daemon = Mojo::Server::Daemon->new(app => $app, listen => ['http://127.0.0.1'], silent => 1)->start;
  say_line('port ' . $daemon->ports->[0]);
  Mojo::IOLoop->start;
}

say_line('version ' . Mojolicious->VERSION);
$ARGV[0] eq 'server' ? server() : client();
