// Command bench-operator is a plain controller-runtime operator of the kind App, written the way the
// kubebuilder book does it: the peer that the runtime of this project is measured against.
package main

import (
	"flag"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// The flag --kubeconfig is controller-runtime's own.
func main() {
	workers := flag.Int("workers", 8, "reconciles that run at once")
	metrics := flag.String("metrics-bind-address", "0", "where /metrics is served")
	probes := flag.String("health-probe-bind-address", "0", "where /readyz is served")
	contentType := flag.String("content-type", "", "of calls and watches; controller-runtime's choice when empty")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	log := ctrl.Log.WithName("setup")

	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(schemeBuilder.AddToScheme(scheme))

	config := ctrl.GetConfigOrDie()
	// No limit on the client's side; the API server's own fairness decides.
	config.QPS = -1
	config.ContentType = *contentType
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme,
		Metrics:                metricsserver.Options{BindAddress: *metrics},
		HealthProbeBindAddress: *probes,
	})
	if err != nil {
		log.Error(err, "unable to start manager")
		os.Exit(1)
	}
	reconciler := &AppReconciler{Client: mgr.GetClient()}
	if err := reconciler.SetupWithManager(mgr, *workers); err != nil {
		log.Error(err, "unable to create controller")
		os.Exit(1)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		log.Error(err, "unable to set up ready check")
		os.Exit(1)
	}
	if err := mgr.Start(ctrl.SetupSignalHandler()); err != nil {
		log.Error(err, "problem running manager")
		os.Exit(1)
	}
}
