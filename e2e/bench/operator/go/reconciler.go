package main

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	corac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const (
	finalizer    = "bench.mlops.pynomaly.io/cleanup"
	fieldManager = "app-operator"
)

// AppReconciler keeps an App's children as its spec wants them.
type AppReconciler struct {
	client.Client
}

func (r *AppReconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&App{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

func (r *AppReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	app := &App{}
	if err := r.Get(ctx, req.NamespacedName, app); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !app.DeletionTimestamp.IsZero() {
		if controllerutil.RemoveFinalizer(app, finalizer) {
			return ctrl.Result{}, client.IgnoreNotFound(r.Update(ctx, app))
		}
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(app, finalizer) {
		if err := r.Update(ctx, app); err != nil {
			return ctrl.Result{}, err
		}
	}
	for _, child := range []runtime.ApplyConfiguration{
		configMapOf(app), deploymentOf(app), serviceOf(app),
	} {
		if err := r.Apply(ctx, child, client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{}, r.updateStatus(ctx, app)
}

func (r *AppReconciler) updateStatus(ctx context.Context, app *App) error {
	before := app.Status.DeepCopy()
	app.Status.Value = app.Spec.Value
	app.Status.ObservedGeneration = app.Generation
	meta.SetStatusCondition(&app.Status.Conditions, metav1.Condition{
		Type:               "Ready",
		Status:             metav1.ConditionTrue,
		ObservedGeneration: app.Generation,
		Reason:             "Ready",
		Message:            "All children are there.",
	})
	if equality.Semantic.DeepEqual(before, &app.Status) {
		return nil
	}
	return r.Status().Update(ctx, app)
}

func ownerOf(app *App) *metaac.OwnerReferenceApplyConfiguration {
	return metaac.OwnerReference().
		WithAPIVersion(groupVersion.String()).
		WithKind("App").
		WithName(app.Name).
		WithUID(app.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}

func configMapOf(app *App) *corac.ConfigMapApplyConfiguration {
	return corac.ConfigMap(app.Name, app.Namespace).
		WithOwnerReferences(ownerOf(app)).
		WithData(map[string]string{"value": app.Spec.Value})
}

func deploymentOf(app *App) *appsac.DeploymentApplyConfiguration {
	labels := map[string]string{"app": app.Name}
	return appsac.Deployment(app.Name, app.Namespace).
		WithOwnerReferences(ownerOf(app)).
		WithSpec(appsac.DeploymentSpec().
			WithReplicas(app.Spec.Replicas).
			WithSelector(metaac.LabelSelector().WithMatchLabels(labels)).
			WithTemplate(corac.PodTemplateSpec().
				WithLabels(labels).
				WithSpec(corac.PodSpec().WithContainers(corac.Container().
					WithName("app").
					WithImage("example.invalid/app:1").
					WithEnv(corac.EnvVar().WithName("VALUE").WithValue(app.Spec.Value))))))
}

func serviceOf(app *App) *corac.ServiceApplyConfiguration {
	return corac.Service(app.Name, app.Namespace).
		WithOwnerReferences(ownerOf(app)).
		WithSpec(corac.ServiceSpec().
			WithSelector(map[string]string{"app": app.Name}).
			WithPorts(corac.ServicePort().
				WithName("http").
				WithPort(80).
				WithTargetPort(intstr.FromInt32(8080))))
}
